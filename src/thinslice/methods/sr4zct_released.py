"""SR4ZCT as its authors' code does it, quirks and all.

Differs from the paper (``sr4zct``): rows lie evenly from one end of an image to the other, so
not exactly thickness - overlap apart; without overlap a row is one point, not a mean; beyond the
outermost rows values are extrapolated, then cut to the image's range; all values are scaled by the
scan's minimum and maximum. The scan's planes are interpolated to slices that lie just as evenly.
One whole slice per step, constant rate, last weights, and the two views never averaged.

Differs from the code: slices are put where they are (it takes the pixel pitch for their distance);
pairs are drawn anew in each step, not in shuffled epochs; gaps are taken as overlap below zero.
Its later variant with an extra blur is not here.
Source: jiayangshi/SR4ZCT, commit a907fe2, described in our own words.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from thinslice.families.base import settings_of
from thinslice.families.self_supervised import (
    SELF_SUPERVISED_TINY,
    SelfSupervised,
    SelfSupervisedMethod,
    View,
)
from thinslice.interfaces import About
from thinslice.operators import overlap
from thinslice.volume import Grid

ABOUT = About(
    title="SR4ZCT (released)",
    fidelity="as-released",
    paper="Shi et al. 2023, code",
    idea="The authors' code: slices anchored at both ends, averaged only where they overlap, one "
    "view.",
    published_settings={"view": ("coronal", "sagittal")},
)


@dataclass(frozen=True)
class Settings(SelfSupervised):
    """Hyperparameters; config.yaml may set any of them."""

    view: View = "coronal"


TINY = SELF_SUPERVISED_TINY
RESTORING = ("view",)  # settings that no training depends on


@dataclass(frozen=True)
class Anchored:
    """Slices spread evenly from end to end."""

    clips: bool = True

    def scale(self, voxels_ZYX: np.ndarray) -> tuple[float, float]:
        """Minimum, and the maximum above it."""
        low, high = float(voxels_ZYX.min()), float(voxels_ZYX.max())
        return low, (high - low) or 1.0

    def degraded(self, thick: Grid, n: int, pixel_mm: float) -> csr_array:
        """Down to thick rows, linearly up again, extrapolated at the ends."""
        pixels = overlap.line(n, pixel_mm)
        rows = overlap.anchored(pixels, thick.thickness_mm, thick.overlap_mm)
        spread = overlap.NINTHS if thick.overlap_mm > 0 else overlap.MIDDLE
        down = overlap.means_of_points(pixels, rows, spread)
        return csr_array(self.interpolated(rows, pixels) @ down)

    def native(self, thick: Grid, pixel_mm: float, wanted: Grid | None = None) -> Grid:
        """Slices about a pixel apart, from end to end, wherever those ``wanted`` are."""
        return overlap.anchored(thick, pixel_mm, 0.0)

    def interpolated(self, thick: Grid, native: Grid) -> csr_array:
        """Linear, extrapolated at the ends."""
        return overlap.means_of_points(thick, native, overlap.MIDDLE)


def build(**settings: Any) -> SelfSupervisedMethod:
    s = settings_of(Settings, settings)
    return SelfSupervisedMethod(ABOUT, s, Anchored())
