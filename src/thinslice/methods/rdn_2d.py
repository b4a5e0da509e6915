"""2D RDN: residual dense blocks make slices finer, plane by plane.

The network sees a coronal or sagittal plane of thick slices and gives native slices; the answers
of the two views are averaged. Fitted on planes with the mean absolute error, Adam at 1e-4 that is
halved four times, 16 planes of 8 x 48 thick pixels per step.

Source: Zhang et al., "Residual dense network for image super-resolution", CVPR 2018; as a baseline
of slices, Peng et al. 2020 and Uhm et al. Differs: see ``nets.rdn``; which views were used by those
who compared with it is not known, here both; the number of steps is ours.
"""

from dataclasses import dataclass
from typing import Any

from thinslice.families.base import settings_of
from thinslice.families.cube import CUBE_TINY, CubeMethod, CubeRecipe, CubeSettings
from thinslice.inference.both_views import BothViews
from thinslice.interfaces import About
from thinslice.nets.rdn import RDN, Sizes
from thinslice.training.samplers.either_view import cube_planes

ABOUT = About(
    title="2D RDN",
    fidelity="as-published",
    paper="Zhang et al., CVPR 2018",
    idea="Residual dense blocks make the slices of coronal and sagittal planes finer; the views "
    "are averaged.",
    fixed_factor=True,
)


@dataclass(frozen=True)
class Settings(CubeSettings):
    """Hyperparameters; the defaults are the paper's where it gives them."""

    blocks: int = 16  # D
    layers: int = 8  # C, convolutions of a block
    growth: int = 64  # G, features that each adds
    features: int = 64  # G0
    corrects: bool = False  # add what the network makes to linear interpolation
    depth: int = 8  # thick slices the network sees
    side: int = 48  # pixels of a training plane
    batch: int = 16  # planes per step
    schedule: str = "step"
    decay: float = 0.5
    decay_every: int = 40_000  # steps
    ct: tuple[float, float] = (-1024.0, 3071.0)  # HU that the network sees as 0 and 1
    step: int | None = 4
    tiles_at_a_time: int = 1


TINY = {**CUBE_TINY, "blocks": 2, "layers": 2, "growth": 4, "features": 4, "depth": 4, "step": 2}


def build(**settings: Any) -> CubeMethod:
    s = settings_of(Settings, settings)
    recipe = CubeRecipe(
        "rdn_2d",
        ABOUT,
        s,
        lambda sizes: RDN(2, sizes),
        s.sizes(Sizes),
        depth=s.depth,
        align=1,
        identity={"ct": list(s.ct)},
        sampler=cube_planes,
        moved=BothViews,
    )
    return CubeMethod(recipe)
