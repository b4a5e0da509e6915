"""3D RDN: residual dense blocks of cubes turn thick slices into thin ones.

Fitted on cubes with the mean absolute error, Adam at 1e-4 that is halved four times.

After Zhang et al., "Residual dense network for image super-resolution", CVPR 2018, whose network is
2-D; SAINT (Peng et al. 2020) and ACVTT (Uhm et al.) compare with one whose kernels are cubes, and
print no size. With the paper's blocks it would have 65 million weights; here the sizes are those of
ArSSR's encoder (Wu et al. 2023), 8 blocks of 3 layers. Crops and steps are ours.
"""

from dataclasses import dataclass
from typing import Any

from thinslice.families.base import settings_of
from thinslice.families.cube import CUBE_TINY, CubeMethod, CubeRecipe, CubeSettings
from thinslice.interfaces import About
from thinslice.nets.rdn import RDN, Sizes

ABOUT = About(
    title="3D RDN",
    fidelity="from-abstract",
    paper="Zhang et al., CVPR 2018",
    idea="Residual dense blocks whose kernels are cubes make slices finer; sizes are ours.",
    fixed_factor=True,
)


@dataclass(frozen=True)
class Settings(CubeSettings):
    """Hyperparameters; config.yaml may set any of them."""

    blocks: int = 8  # D
    layers: int = 3  # C, convolutions of a block
    growth: int = 64  # G, features that each adds
    features: int = 64  # G0
    corrects: bool = False  # add what the network makes to linear interpolation
    depth: int = 8  # thick slices the network sees
    side: int = 32  # pixels of a training cube
    batch: int = 4  # cubes per step
    schedule: str = "step"
    decay: float = 0.5
    decay_every: int = 40_000  # steps
    ct: tuple[float, float] = (-1024.0, 3071.0)  # HU that the network sees as 0 and 1
    step: int | None = 4
    tile: int = 128
    tiles_at_a_time: int = 1


TINY = {**CUBE_TINY, "blocks": 2, "layers": 2, "growth": 4, "features": 4, "depth": 4, "step": 2}


def build(**settings: Any) -> CubeMethod:
    s = settings_of(Settings, settings)
    recipe = CubeRecipe(
        "rdn_3d",
        ABOUT,
        s,
        lambda sizes: RDN(3, sizes),
        s.sizes(Sizes),
        depth=s.depth,
        align=1,
        identity={"ct": list(s.ct)},
    )
    return CubeMethod(recipe)
