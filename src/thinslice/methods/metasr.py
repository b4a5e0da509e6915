"""Meta-SR: a network on planes whose last convolution is made for each slice asked for.

It sees coronal and sagittal planes of thick slices, answers at any increment and phase, and the
two views are averaged. Fitted with the mean absolute error, Adam at 1e-4 that is halved four
times, 16 planes per step.

Source: Hu et al., "Meta-SR: a magnification-arbitrary network for super-resolution", CVPR 2019; as
a baseline of slices, Peng et al. 2020 and Uhm et al. Differs: see ``nets.metasr``; thick slices are
those of the pairs (theirs are made for every magnification, one per step), so what varies in
training is where slices are asked for and the increment told; which views were used by those who
compared with it is not known, here both; the number of steps is ours.
"""

from dataclasses import asdict, dataclass
from typing import Any

from thinslice.families.base import settings_of
from thinslice.families.positions import (
    POSITION_TINY,
    PositionMethod,
    PositionRecipe,
    PositionSettings,
)
from thinslice.inference.both_views import BothViews
from thinslice.interfaces import About
from thinslice.nets.metasr import MetaSR, Sizes
from thinslice.training.samplers.either_view import position_planes

ABOUT = About(
    title="Meta-SR",
    fidelity="as-published",
    paper="Hu et al., CVPR 2019",
    idea="A small network makes, for every slice asked for, the convolution that turns features of "
    "planes into it.",
)


@dataclass(frozen=True)
class Settings(PositionSettings):
    """Hyperparameters; the defaults are the paper's where it gives them."""

    blocks: int = 16  # D
    layers: int = 8  # C, convolutions of a block
    growth: int = 64  # G, features that each adds
    features: int = 64  # G0
    hidden: int = 256  # of the network that makes weights
    corrects: bool = False  # add what the network makes to linear interpolation
    side: int = 50  # pixels of a training plane
    tile: int = 256


TINY = {**POSITION_TINY, "blocks": 2, "layers": 2, "growth": 4, "features": 4, "hidden": 8}


def build(**settings: Any) -> PositionMethod:
    s = settings_of(Settings, settings)
    sizes = Sizes(s.blocks, s.layers, s.growth, s.features, s.hidden, s.corrects)
    recipe = PositionRecipe(
        "metasr",
        ABOUT,
        s,
        lambda: MetaSR(sizes),
        identity=asdict(sizes),
        sampler=position_planes,
        moved=BothViews,
    )
    return PositionMethod(recipe)
