"""SMORE by convolution, as SR4ZCT's authors compare it: whole pixels instead of millimetres.

Training images are axial slices convolved with a box of whole pixels and kept every so many pixels;
the network, its training and the restored planes are SR4ZCT's. Where thickness or increment is no
whole number of pixels, no width and no stride is right, and that is what the comparison is about.

Source: Shi et al. 2023, "Comparison with SMORE" and table 2 (5 mm slices on 1 mm pixels: width 5,
stride 2 or 3). Not the SMORE of Zhao et al. 2021, which is for MRI and works on spectra.
Kept rows are interpolated back linearly, ends held, as in ``sr4zct``.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from thinslice.errors import Refused
from thinslice.families.base import settings_of
from thinslice.families.self_supervised import (
    SELF_SUPERVISED_TINY,
    SelfSupervised,
    SelfSupervisedMethod,
)
from thinslice.families.standardised import Standardised
from thinslice.interfaces import About
from thinslice.operators import interpolation
from thinslice.volume import Grid

ABOUT = About(
    title="SMORE (convolution)",
    fidelity="from-abstract",
    paper="Zhao et al. 2021, as in Shi et al. 2023",
    idea="A network learns to undo a box of whole pixels on the scan's own axial slices.",
)


@dataclass(frozen=True)
class Settings(SelfSupervised):
    """Hyperparameters; config.yaml may set any of them."""

    filter_width: int | None = None  # pixels; null: the thickness, rounded
    stride: int | None = None  # pixels; null: the increment, rounded

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("filter_width", "stride"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"{name} starts at 1 pixel, found {value}")


TINY = SELF_SUPERVISED_TINY
RESTORING = ("view",)  # settings that no training depends on


@dataclass(frozen=True)
class Convolved(Standardised):
    """A box of whole pixels, kept every so many pixels."""

    filter_width: int | None
    stride: int | None

    def degraded(self, thick: Grid, n: int, pixel_mm: float) -> csr_array:
        """Boxes from the first pixel on, linearly up again; rows at the ends are held."""
        width = self.filter_width or max(1, round(thick.thickness_mm / pixel_mm))
        stride = self.stride or max(1, round(thick.increment_mm / pixel_mm))
        if width > n:
            raise Refused(f"a filter of {width} pixels on a slice of {n}: give a filter_width")
        first = np.arange(0, n - width + 1, stride)
        down = np.zeros((len(first), n))
        down[np.arange(len(first))[:, None], first[:, None] + np.arange(width)] = 1 / width
        up = interpolation.weights(first + (width - 1) / 2, np.arange(n), "linear")
        return csr_array(up @ down)


def build(**settings: Any) -> SelfSupervisedMethod:
    s = settings_of(Settings, settings)
    return SelfSupervisedMethod(ABOUT, s, Convolved(s.filter_width, s.stride))
