"""2D MDSR: one residual network for several factors makes slices finer, plane by plane.

The network sees a coronal or sagittal plane of thick slices and gives native slices; the answers
of the two views are averaged. It serves every factor that its training pairs have, one factor per
step. Mean absolute error, Adam at 1e-4 that is halved every 200,000 steps, 16 planes of 8 x 48
thick pixels per step.

Source: Lim et al., "Enhanced deep residual networks for single image super-resolution", CVPR
Workshops 2017, in the authors' smaller size (16 blocks); as a baseline of slices, Peng et al. 2020
and Uhm et al. Differs: see ``nets.mdsr``; which views were used by those who compared with it is
not known, here both.
"""

from dataclasses import dataclass
from typing import Any

from thinslice.families.base import settings_of
from thinslice.families.cube import CUBE_TINY, CubeRecipe, CubeSettings
from thinslice.families.several_factors import SeveralFactorsMethod
from thinslice.inference.both_views import BothViews
from thinslice.interfaces import About
from thinslice.nets.mdsr import MDSR, Sizes
from thinslice.training.samplers.either_view import cube_planes

ABOUT = About(
    title="2D MDSR",
    fidelity="as-published",
    paper="Lim et al., CVPRW 2017",
    idea="One residual network for several factors makes the slices of coronal and sagittal planes "
    "finer; the views are averaged.",
    fixed_factor=True,
    published_settings={"blocks": (16, 80)},
)


@dataclass(frozen=True)
class Settings(CubeSettings):
    """Hyperparameters; the defaults are the paper's where it gives them."""

    blocks: int = 16  # residual blocks that all factors share; the paper's larger size has 80
    features: int = 64
    corrects: bool = False  # add what the network makes to linear interpolation
    depth: int = 8  # thick slices the network sees
    side: int = 48  # pixels of a training plane
    batch: int = 16  # planes per step
    steps: int = 300_000
    schedule: str = "step"
    decay: float = 0.5
    decay_every: int = 200_000  # steps
    ct: tuple[float, float] = (-1024.0, 3071.0)  # HU that the network sees as 0 and 1
    step: int | None = 4
    tiles_at_a_time: int = 1


TINY = {**CUBE_TINY, "blocks": 2, "features": 4, "depth": 4, "step": 2}


def build(**settings: Any) -> SeveralFactorsMethod:
    s = settings_of(Settings, settings)
    recipe = CubeRecipe(
        "mdsr_2d",
        ABOUT,
        s,
        lambda sizes: MDSR(2, sizes),
        s.sizes(Sizes),
        depth=s.depth,
        align=1,
        identity={"ct": list(s.ct)},
        sampler=cube_planes,
        moved=BothViews,
    )
    return SeveralFactorsMethod(recipe)
