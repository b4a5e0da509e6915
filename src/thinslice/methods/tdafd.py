"""TDAFD: distilled features of several scales, and attention in windows of voxels, light.

Fitted on cubes with the mean absolute error and Adam at 1e-4.

Source: Zhao et al., IEEE JBHI 2025, known here by its abstract (``nets.tdafd``). The paper makes MR
finer along all axes; here z alone grows, by any whole factor. Ours: sizes, crops, loss, rate and
windows.
"""

from dataclasses import dataclass
from math import lcm
from typing import Any

from thinslice.families.base import settings_of
from thinslice.families.cube import CUBE_TINY, CubeMethod, CubeRecipe, CubeSettings
from thinslice.interfaces import About
from thinslice.nets.tdafd import TDAFD, Sizes

ABOUT = About(
    title="TDAFD",
    fidelity="from-abstract",
    paper="Zhao et al., IEEE JBHI 2025",
    idea="Features are distilled at several scales and attended to; two transformers see far.",
    fixed_factor=True,
)


@dataclass(frozen=True)
class Settings(CubeSettings):
    """Hyperparameters; a config line may set any of them."""

    channels: int = 32
    modules: int = 4  # of distillation
    heads: int = 4  # of every attention
    window: tuple[int, int, int] = (2, 8, 8)  # voxels along z, y and x that attend to each other
    times: int = 2  # that each of two transformers is run, with the same weights
    depth: int = 8  # thick slices the network sees
    side: int = 64
    step: int | None = 4
    tile: int = 128


TINY: dict[str, Any] = {
    **CUBE_TINY,
    **{"channels": 8, "modules": 2, "heads": 2, "window": [2, 4, 4], "depth": 3, "step": 2},
}


def build(**settings: Any) -> CubeMethod:
    s = settings_of(Settings, settings)
    align = lcm(*s.window[1:])
    identity = {"window": list(s.window), "times": s.times}
    recipe = CubeRecipe(
        "tdafd", ABOUT, s, TDAFD, s.sizes(Sizes), s.depth, align=align, identity=identity
    )
    return CubeMethod(recipe)
