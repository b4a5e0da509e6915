"""Overlapping thick slices as SR4ZCT's released code makes them.

Differs from the paper (``overlap``) in two ways. The first and last slice touch the scan's two ends
and the others are spread evenly, so the spacing is not exactly thickness - overlap (3 mm every 2 mm
from 0.742 mm pixels: 2.005). And without overlap there is no averaging at all: a thick slice is one
point between thin ones. The code then clips to the image's own range; that is not linear, so it is
left to the caller; it only acts where the ends extrapolate.
Source: jiayangshi/SR4ZCT, commit a907fe2, described in our own words.
"""

from dataclasses import dataclass

from scipy.sparse import csr_array

from thinslice.operators import overlap, projection
from thinslice.volume import Grid


@dataclass(frozen=True)
class OverlapReleased:
    """Slices of ``thickness_mm`` that nearly share ``overlap_mm``, anchored at both ends."""

    thickness_mm: float
    overlap_mm: float

    def __post_init__(self) -> None:
        if not 0 <= self.overlap_mm < self.thickness_mm:
            raise ValueError(f"overlap {self.overlap_mm} is not in 0 to {self.thickness_mm} mm")

    def thick_grid(self, thin: Grid) -> Grid:
        """Slices from one end of the scan to the other."""
        return overlap.anchored(thin, self.thickness_mm, self.overlap_mm)

    def matrix(self, thin: Grid, thick: Grid) -> csr_array:
        """[n_thick, n_thin]; means of nine points with overlap, single points without."""
        spread = overlap.NINTHS if self.overlap_mm > 0 else overlap.MIDDLE
        return projection.point_matrix(
            thick.centres_mm()[:, None] + self.thickness_mm * spread, thin
        )


def build(*, thickness_mm: float, overlap_mm: float) -> OverlapReleased:
    return OverlapReleased(thickness_mm, overlap_mm)
