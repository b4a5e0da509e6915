"""SRCNN3D: three 3-D convolutions correct the interpolated scan.

The thick scan is interpolated (cubic B-spline), in-plane too where finer pixels are asked for, and
the network changes it (``families.interpolated``); any thickness, increment and phase will do.

Source: Pham et al., "Brain MRI super-resolution using deep 3D convolutional networks", ISBI 2017:
kernels of 9, 1 and 5 voxels, 64 and 32 features, squared error on small cubes. The network is that
of MFER's authors (``nets.srcnn3d``). Ours: Adam where they descend by the plain gradient, cubes of
32 voxels in batches of 4 where they take 33 in batches of 256 and score the middle 21, first
weights, and that the thick scan is the pairs' own where they blur and thin out the fine scan.
"""

from dataclasses import dataclass
from typing import Any

from thinslice.families.base import settings_of
from thinslice.families.interpolated import (
    INTERPOLATED_TINY,
    InterpolatedMethod,
    InterpolatedRecipe,
    InterpolatedSettings,
)
from thinslice.interfaces import About
from thinslice.nets.srcnn3d import GAIN, SRCNN3D

ABOUT = About(
    title="SRCNN3D",
    fidelity="from-abstract",
    paper="Pham et al., ISBI 2017",
    idea="Three 3-D convolutions correct the interpolated scan.",
    in_plane=True,
)


@dataclass(frozen=True)
class Settings(InterpolatedSettings):
    """Hyperparameters; a config line may set any of them."""

    channels: int = 64  # features of the first layer; the second has half


TINY = {**INTERPOLATED_TINY, "channels": 4}


def build(**settings: Any) -> InterpolatedMethod:
    s = settings_of(Settings, settings)
    identity = {"channels": s.channels, "gain": GAIN}
    return InterpolatedMethod(
        InterpolatedRecipe("srcnn3d", ABOUT, s, lambda: SRCNN3D(s.channels), identity=identity)
    )
