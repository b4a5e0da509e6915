"""SCSR: a convolutional network corrects the planes of the interpolated scan.

The single-contrast part of Zeng et al., Computers in Biology and Medicine 2018, of which we know
the abstract (``nets.zeng``). Georgescu et al. print its in-plane scores on MR. Ours: sizes,
patches, batches, rate, squared error and first weights, that the thick scan is the pairs' own, and
that it is interpolated with a cubic B-spline. Where slices are to be finer, not pixels,
``planes: coronal_sagittal`` shows the network the planes that are coarse.
"""

from dataclasses import dataclass
from typing import Any

from thinslice.families.base import settings_of
from thinslice.families.interpolated_planes import (
    INTERPOLATED_PLANES_TINY,
    InterpolatedPlanesMethod,
    InterpolatedPlanesRecipe,
    InterpolatedPlanesSettings,
)
from thinslice.interfaces import About
from thinslice.nets.grey import STRETCHED
from thinslice.nets.zeng import SCSR

ABOUT = About(
    title="SCSR",
    fidelity="from-abstract",
    paper="Zeng et al., Computers in Biology and Medicine 2018",
    idea="A 2-D network corrects planes of the interpolated scan.",
    in_plane=True,
)


@dataclass(frozen=True)
class Settings(InterpolatedPlanesSettings):
    """Hyperparameters; a config line may set any of them."""

    blocks: int = 8  # residual blocks
    channels: int = 64


TINY = {**INTERPOLATED_PLANES_TINY, "blocks": 1, "channels": 4}


def build(**settings: Any) -> InterpolatedPlanesMethod:
    s = settings_of(Settings, settings)
    sizes = {"blocks": s.blocks, "channels": s.channels}
    return InterpolatedPlanesMethod(
        InterpolatedPlanesRecipe(
            "zeng_scsr",
            ABOUT,
            s,
            lambda: SCSR(**sizes),
            identity={**sizes, "grey": list(STRETCHED)},
        )
    )
