"""Overlapping thick slices of SR4ZCT: thickness and overlap, as in the paper or as in its code.

A thick slice of thickness R is the mean of nine points, linear between thin centres, at the middles
of its ninths. ``spacing: exact`` is the paper's: slices are R - overlap apart, from the scan's
physical beginning (half a thin thickness before the first centre).

``spacing: anchored`` is the released code's, which differs in two ways. The first and last slice
touch the scan's two ends and the others are spread evenly, so the spacing is not exactly R -
overlap (3 mm every 2 mm from 0.742 mm pixels: 2.005). And without overlap there is no averaging at
all: a thick slice is one point between thin ones. The code then clips to the image's own range;
that is not linear, so it is left to the caller; it only acts where the ends extrapolate.

Source: Shi et al. 2023, section 2 and figure 2, which say "various points": their code takes nine.
Code: jiayangshi/SR4ZCT, commit a907fe2, described in our own words.
"""

from dataclasses import dataclass
from typing import Literal

from scipy.sparse import csr_array

from thinslice.operators import overlap, projection
from thinslice.volume import Grid

Spacing = Literal["exact", "anchored"]


@dataclass(frozen=True)
class Overlap:
    """Slices of ``thickness_mm`` that share ``overlap_mm``; a negative overlap is a gap."""

    thickness_mm: float
    overlap_mm: float
    spacing: Spacing = "exact"

    def __post_init__(self) -> None:
        if self.spacing not in ("exact", "anchored"):
            raise ValueError(f"spacing {self.spacing!r} is none of exact, anchored")
        if not self.overlap_mm < self.thickness_mm:
            raise ValueError(f"overlap {self.overlap_mm} must be below {self.thickness_mm} mm")
        if self.spacing == "anchored" and self.overlap_mm < 0:
            raise ValueError(f"anchored slices have no gaps, found an overlap {self.overlap_mm}")

    def thick_grid(self, thin: Grid) -> Grid:
        """As many thick slices as the scan holds; exact ones may end before the scan does."""
        place = overlap.exact if self.spacing == "exact" else overlap.anchored
        return place(thin, self.thickness_mm, self.overlap_mm)

    def matrix(self, thin: Grid, thick: Grid) -> csr_array:
        """[n_thick, n_thin]; points before the first or after the last centre extrapolate."""
        single = self.spacing == "anchored" and self.overlap_mm == 0
        spread = overlap.MIDDLE if single else overlap.NINTHS
        return projection.point_matrix(
            thick.centres_mm()[:, None] + self.thickness_mm * spread, thin
        )


def build(*, thickness_mm: float, overlap_mm: float, spacing: Spacing = "exact") -> Overlap:
    return Overlap(thickness_mm, overlap_mm, spacing)
