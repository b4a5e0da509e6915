"""ResCNN: 3-D convolutions in runs with skips find what the interpolated scan lacks.

The thick scan is interpolated (cubic B-spline), in-plane too where finer pixels are asked for, and
the network adds to it (``families.interpolated``); any thickness, increment and phase will do.

Source: Du et al., Neurocomputing 2020 (``nets.rescnn``). Georgescu et al. print its in-plane scores
on MR. Ours: cubes, batches, rate, squared error and first weights, and that the thick scan is the
pairs' own.
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
from thinslice.nets.rescnn import ResCNN

ABOUT = About(
    title="ResCNN",
    fidelity="from-abstract",
    paper="Du et al., Neurocomputing 2020",
    idea="Runs of 3-D convolutions with skips find what the interpolated scan lacks.",
    in_plane=True,
)


@dataclass(frozen=True)
class Settings(InterpolatedSettings):
    """Hyperparameters; a config line may set any of them."""

    runs: int = 3  # of convolutions, each with a skip
    layers: int = 6  # of a run
    channels: int = 64


TINY = {**INTERPOLATED_TINY, "runs": 1, "layers": 2, "channels": 4}


def build(**settings: Any) -> InterpolatedMethod:
    s = settings_of(Settings, settings)
    sizes = {"runs": s.runs, "layers": s.layers, "channels": s.channels}
    return InterpolatedMethod(
        InterpolatedRecipe(
            "rescnn",
            ABOUT,
            s,
            lambda: ResCNN(**sizes),
            identity={**sizes, "grey": list(STRETCHED)},
        )
    )
