"""Supervised MS-D per view: the upper bound that SR4ZCT's authors measure themselves against.

Two mixed-scale dense networks learn from pairs, one from coronal planes, one from sagittal ones:
the thick slices interpolated linearly to the thin slices' places, and the thin slices themselves.
Restoring, each sees the planes of its own view. ``view: coronal`` or ``sagittal`` is one of them,
as in the paper's Table 1; ``both`` is the mean of the two answers, which the paper does not have.

Source: Shi et al. 2023, section 3, and ``nets.msd``: 100 layers, squared error, Adam, 200 epochs, a
network for each view. What they leave open is as in their code for SR4ZCT: whole planes, one at a
time, a constant rate of 1e-3, images brought to zero mean and unit spread. Ours: planes are drawn
at random (an epoch is as many as there are); mean and spread are those of 64 drawn ones; networks
see values cut to a fixed window of HU, MR to percentiles of the thick scan, and what was cut is
added to their answer; where there are validation pairs, the best weights are kept, the last ones
otherwise.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn

from thinslice.families.base import settings_of
from thinslice.families.plane import PLANE_TINY, PlaneMethod, PlaneRecipe, PlaneSettings
from thinslice.interfaces import About
from thinslice.nets.msd import MSD
from thinslice.training.batches import Batch
from thinslice.training.samplers.planes import View

ABOUT = About(
    title="MS-D, supervised",
    fidelity="as-published",
    paper="Shi et al. 2023",
    idea="A mixed-scale dense network for each view corrects interpolated coronal or sagittal "
    "planes.",
    published_settings={"view": ("coronal", "sagittal")},
)
VIEWS: dict[str, tuple[View, ...]] = {
    "coronal": ("coronal",),
    "sagittal": ("sagittal",),
    "both": ("coronal", "sagittal"),
}
WHOLE = 1 << 14  # pixels; planes are tiled only where the memory cap forces it
HALO = 64  # then; a deep network sees farther, but hardly


@dataclass(frozen=True)
class Settings(PlaneSettings):
    """Hyperparameters; config.yaml may set any of them."""

    view: Literal["coronal", "sagittal", "both"] = "both"  # planes learned from and restored
    depth: int = 100  # layers of a network
    width: int = 1  # maps per layer
    dilations: int = 10  # cycled through: 1, 2, ... this
    patch: tuple[int, int] | None = None
    batch: int = 1
    steps: int | None = None
    schedule: Literal["constant", "cosine"] = "constant"
    validate_every: int = 1000
    planes_at_a_time: int = 4

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.view not in VIEWS:
            raise ValueError(f"view {self.view!r} is none of {', '.join(VIEWS)}")
        if self.restore_precision == "bf16":  # sums run over a hundred maps
            raise ValueError("restore_precision bf16 is for no MS-D network; use fp32")


TINY = {**PLANE_TINY, "depth": 2, "dilations": 2}


def normalise(net: nn.Module, batches: Sequence[Batch]) -> None:
    """Bring inputs and answers like these to zero mean and unit spread; flat ones to zero mean."""
    assert isinstance(net, MSD)
    (mean_x, spread_x), (mean_y, spread_y) = (_moments(tensors) for tensors in zip(*batches))
    net.normalise(mean=(mean_x, mean_y), std=(spread_x or 1.0, spread_y or 1.0))


def _moments(tensors: Sequence[Tensor]) -> tuple[float, float]:
    """Mean and standard deviation of all their numbers."""
    numbers = torch.cat([tensor.flatten() for tensor in tensors]).double()
    return float(numbers.mean()), float(numbers.std(correction=0))


def build(**settings: Any) -> PlaneMethod:
    s = settings_of(Settings, settings)
    sizes = {"depth": s.depth, "width": s.width, "dilations": s.dilations}
    return PlaneMethod(
        PlaneRecipe(
            "msd_supervised",
            ABOUT,
            s,
            lambda: MSD(**sizes),
            identity={"view": s.view, **sizes},
            views=VIEWS[s.view],
            per_view=True,
            start="linear",
            flips=False,
            prepare=normalise,
            corrects=False,
            tile=WHOLE,
            halo=HALO,
        )
    )
