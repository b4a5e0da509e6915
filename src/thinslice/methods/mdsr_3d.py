"""3D MDSR: a residual network of cubes, for several factors, turns thick slices into thin ones.

It serves every factor that its training pairs have, one factor per step. Mean absolute error, Adam
at 1e-4 that is halved every 200,000 steps.

After Lim et al., "Enhanced deep residual networks for single image super-resolution", CVPR
Workshops 2017, whose network is 2-D; SAINT (Peng et al. 2020) and ACVTT (Uhm et al.) compare with
one whose kernels are cubes, and print no size. Here it has the 16 blocks of 64 features of the
authors' smaller network. Crops and steps are ours.
"""

from dataclasses import dataclass
from typing import Any

from thinslice.families.base import settings_of
from thinslice.families.cube import CUBE_TINY, CubeRecipe, CubeSettings
from thinslice.families.several_factors import SeveralFactorsMethod
from thinslice.interfaces import About
from thinslice.nets.mdsr import MDSR, Sizes

ABOUT = About(
    title="3D MDSR",
    fidelity="from-abstract",
    paper="Lim et al., CVPRW 2017",
    idea="One residual network for several factors, whose kernels are cubes, makes slices finer; "
    "sizes are ours.",
    fixed_factor=True,
)


@dataclass(frozen=True)
class Settings(CubeSettings):
    """Hyperparameters; config.yaml may set any of them."""

    blocks: int = 16  # residual blocks that all factors share
    features: int = 64
    corrects: bool = False  # add what the network makes to linear interpolation
    depth: int = 8  # thick slices the network sees
    side: int = 32  # pixels of a training cube
    batch: int = 4  # cubes per step
    steps: int = 300_000
    schedule: str = "step"
    decay: float = 0.5
    decay_every: int = 200_000  # steps
    ct: tuple[float, float] = (-1024.0, 3071.0)  # HU that the network sees as 0 and 1
    step: int | None = 4
    tile: int = 128
    tiles_at_a_time: int = 1


TINY = {**CUBE_TINY, "blocks": 2, "features": 4, "depth": 4, "step": 2}


def build(**settings: Any) -> SeveralFactorsMethod:
    s = settings_of(Settings, settings)
    recipe = CubeRecipe(
        "mdsr_3d",
        ABOUT,
        s,
        lambda sizes: MDSR(3, sizes),
        s.sizes(Sizes),
        depth=s.depth,
        align=1,
        identity={"ct": list(s.ct)},
    )
    return SeveralFactorsMethod(recipe)
