"""EDSR-like planes: a small 2-D network corrects every coronal and sagittal plane.

The thick scan is interpolated (cubic B-spline) and the network adds what it learned is missing
(``families.plane``); HU beyond the window survive.

After Lim et al. 2017 (see ``nets.edsr``); sizes, planes and training are ours: squared error where
they take the absolute, since tables are in RMSE.
"""

from dataclasses import dataclass
from typing import Any

import torch

from thinslice.families.base import settings_of
from thinslice.families.plane import PLANE_TINY, PlaneMethod, PlaneRecipe, PlaneSettings
from thinslice.interfaces import About
from thinslice.nets.edsr import EDSR
from thinslice.nets.grey import STRETCHED

ABOUT = About(
    title="EDSR planes",
    fidelity="from-abstract",
    paper="Lim et al. 2017",
    idea="A residual 2-D network corrects interpolated coronal and sagittal planes, averaged; "
    "sizes are ours.",
)


@dataclass(frozen=True)
class Settings(PlaneSettings):
    """Hyperparameters; config.yaml may set any of them."""

    blocks: int = 5  # residual blocks
    channels: int = 32
    warmup: int = 20  # steps of rising rate


TINY = {**PLANE_TINY, "blocks": 1, "channels": 4}


def build(**settings: Any) -> PlaneMethod:
    s = settings_of(Settings, settings)
    sizes = {"blocks": s.blocks, "channels": s.channels}

    def network() -> EDSR:
        return EDSR(**sizes).to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    identity = {**sizes, "grey": list(STRETCHED)}
    return PlaneMethod(PlaneRecipe("edsr_planes", ABOUT, s, network, identity=identity))
