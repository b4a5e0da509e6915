"""Plane U-Net: a U-Net corrects every coronal and sagittal plane, the planes beside it in sight.

The thick scan is interpolated (cubic B-spline) and the network adds what it learned is missing
(``families.plane``), so that any thickness, increment and phase will do; HU beyond the window
survive. With ``neighbours: 0`` it is 2-D, with more 2.5-D: as many planes to either side are
channels beside the plane itself.

After Ronneberger et al. 2015 (see ``nets.unet``); everything else is ours. Of the networks that
were tried here at equal seconds of one processor it learned most (docs/explanation/methods.md).
"""

from dataclasses import dataclass
from typing import Any

import torch

from thinslice.families.base import settings_of
from thinslice.families.plane import PLANE_TINY, PlaneMethod, PlaneRecipe, PlaneSettings
from thinslice.interfaces import About
from thinslice.nets.grey import STRETCHED
from thinslice.nets.plane_unet import PlaneUNet

ABOUT = About(
    title="Plane U-Net",
    fidelity="own",
    paper="Ronneberger et al. 2015",
    idea="A U-Net corrects interpolated coronal and sagittal planes, with the planes beside each "
    "in sight, averaged; sizes are ours.",
)


@dataclass(frozen=True)
class Settings(PlaneSettings):
    """Hyperparameters; config.yaml may set any of them."""

    channels: int = 16  # features of the finest level; each level down has twice as many
    levels: int = 3  # of resolution
    neighbours: int = 2  # planes to either side that are seen too; 0: a 2-D network
    patch: tuple[int, int] | None = (64, 64)
    batch: int = 4
    steps: int | None = 2000
    warmup: int = 40  # steps of rising rate
    validate_every: int = 200


TINY = {**PLANE_TINY, "channels": 2, "levels": 2}


def build(**settings: Any) -> PlaneMethod:
    s = settings_of(Settings, settings)
    sizes = {"channels": s.channels, "levels": s.levels, "neighbours": s.neighbours}

    def network() -> PlaneUNet:
        return PlaneUNet(**sizes).to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    identity = {**sizes, "grey": list(STRETCHED)}
    recipe = PlaneRecipe(
        "plane_unet", ABOUT, s, network, identity=identity, neighbours=s.neighbours
    )
    return PlaneMethod(recipe)
