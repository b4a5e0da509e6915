"""MFER: every level of a stack of mixed convolutions draws an image, and all images are fused.

Fitted on pairs with the mean absolute error and Adam, and restored in windows of eight thick
slices, four apart, whose mean counts where two answer.

Source: Li et al., Computers in Biology and Medicine 2024; the network is the authors' code's but
for its last layers, which double all axes there (``nets.mfer``). How it was trained is not in the
code; training, windows, tiles and first weights are ours, and what a scan holds beyond the window
of values is kept.
"""

from dataclasses import dataclass

from thinslice.families.base import settings_of
from thinslice.families.cube import CUBE_TINY, CubeMethod, CubeRecipe, CubeSettings
from thinslice.interfaces import About
from thinslice.nets.mfer import MFER, Sizes

ABOUT = About(
    title="MFER",
    fidelity="from-abstract",
    paper="Li et al., CIBM 2024",
    idea="Every level of a stack of mixed 3-D convolutions draws an image; attention fuses them.",
    fixed_factor=True,
)


@dataclass(frozen=True)
class Settings(CubeSettings):
    """Hyperparameters; sizes are the authors', all else is ours."""

    depth: int = 8  # thick slices the network sees
    stem: int = 64  # features before the first level
    levels: int = 19
    channels: int = 32  # features of a level
    side: int = 64
    step: int | None = 4
    tile: int = 128


TINY = {**CUBE_TINY, "depth": 3, "step": 2, "stem": 4, "levels": 2, "channels": 4}


def build(**settings) -> CubeMethod:
    s = settings_of(Settings, settings)
    return CubeMethod(CubeRecipe("mfer", ABOUT, s, MFER, s.sizes(Sizes), depth=s.depth, align=1))
