"""NAME: what it does, in one line that a search would find.

Source: authors, title, venue, section. Differs: what is not as they have it. Ours: what they leave
open, and how it is filled in.
"""

# Copy to src/thinslice/methods/NAME.py and put into config.yaml, under methods:
#   NAME: {fit: population, env: torch}
# docs/how-to/add-a-method.md explains the parts.

from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from thinslice.families.base import settings_of
from thinslice.families.losses import absolute_error
from thinslice.families.plane import PLANE_TINY, PlaneMethod, PlaneRecipe, PlaneSettings
from thinslice.interfaces import About

ABOUT = About(
    title="NAME",  # as printed in tables
    fidelity="from-abstract",  # or "as-published", "as-released", "textbook", "own"
    paper="Authors, venue year",
    idea="One sentence on how it works.",
    # published_settings={"channels": (16, 32)},  # values of the paper's own: they keep its label
    # fixed_factor=True,  # restores only the ratio of increments it was fitted on
    # in_plane=True,  # restores on finer pixels too
)


@dataclass(frozen=True)
class Settings(PlaneSettings):
    """Hyperparameters; the defaults are the paper's. Shared ones are in ``PlaneSettings``."""

    channels: int = 32


TINY = {**PLANE_TINY, "channels": 2}  # settings by which tests train it in a moment


class Network(nn.Module):
    """x_B1ZW to a corrected plane of the same size: values in [0, 1], any size."""

    reach = 1  # pixels it sees to each side; tiles overlap by as many

    def __init__(self, channels: int):
        super().__init__()
        self.first = nn.Conv2d(1, channels, 3, padding=1)
        self.last = nn.Conv2d(channels, 1, 1)

    def forward(self, x_B1ZW: Tensor) -> Tensor:
        return x_B1ZW + self.last(self.first(x_B1ZW).relu())


def build(**settings: Any) -> PlaneMethod:
    s = settings_of(Settings, settings)
    sizes = {"channels": s.channels}  # without these the weights mean nothing
    return PlaneMethod(
        PlaneRecipe(
            "NAME",  # the module; written into weights files
            ABOUT,
            s,
            lambda: Network(**sizes),
            identity=sizes,
            loss=absolute_error,  # or any function of (network, batch) to a scalar
        )
    )
