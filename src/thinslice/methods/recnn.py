"""ReCNN: twenty 3-D convolutions find what the interpolated scan lacks.

The thick scan is interpolated (cubic B-spline), in-plane too where finer pixels are asked for, and
the network adds to it (``families.interpolated``); any thickness, increment and phase will do, and
pairs of different factors may train one network, as in the paper.

Source: Pham et al., "Multiscale brain MRI super-resolution using deep 3D convolutional networks",
Computerized Medical Imaging and Graphics 2019: 20 layers of 64 features, squared error. The network
is that of MFER's authors (``nets.recnn``). Ours: cubes, batches, rate and first weights, and that
the thick scan is the pairs' own.
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
from thinslice.nets.grey import STRETCHED
from thinslice.nets.recnn import ReCNN

ABOUT = About(
    title="ReCNN",
    fidelity="from-abstract",
    paper="Pham et al., CMIG 2019",
    idea="Twenty 3-D convolutions find what the interpolated scan lacks.",
    in_plane=True,
)


@dataclass(frozen=True)
class Settings(InterpolatedSettings):
    """Hyperparameters; a config line may set any of them."""

    layers: int = 20
    channels: int = 64  # features of every layer but the last


TINY = {**INTERPOLATED_TINY, "layers": 3, "channels": 4}


def build(**settings: Any) -> InterpolatedMethod:
    s = settings_of(Settings, settings)
    sizes = {"layers": s.layers, "channels": s.channels}
    return InterpolatedMethod(
        InterpolatedRecipe(
            "recnn",
            ABOUT,
            s,
            lambda: ReCNN(s.layers, s.channels),
            identity={**sizes, "grey": list(STRETCHED)},
        )
    )
