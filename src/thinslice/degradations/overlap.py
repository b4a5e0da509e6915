"""Overlapping thick slices as SR4ZCT's paper defines them: thickness and overlap, exact spacing.

A thick slice of thickness R is the mean of nine points, linear between thin centres, at the middles
of its ninths; slices are R - overlap apart, from the scan's physical beginning (half a thin
thickness before the first centre).
Source: Shi et al. 2023, section 2 and figure 2, which say "various points": their code takes nine.
``overlap_released`` is what that code does, which differs in spacing and without overlap.
"""

from dataclasses import dataclass

from scipy.sparse import csr_array

from thinslice.operators import overlap, projection
from thinslice.volume import Grid


@dataclass(frozen=True)
class Overlap:
    """Slices of ``thickness_mm`` that share ``overlap_mm``; a negative overlap is a gap."""

    thickness_mm: float
    overlap_mm: float

    def __post_init__(self) -> None:
        if not self.overlap_mm < self.thickness_mm:
            raise ValueError(f"overlap {self.overlap_mm} must be below {self.thickness_mm} mm")

    def thick_grid(self, thin: Grid) -> Grid:
        """As many thick slices as the scan holds whole; the last may end before the scan does."""
        return overlap.exact(thin, self.thickness_mm, self.overlap_mm)

    def matrix(self, thin: Grid, thick: Grid) -> csr_array:
        """[n_thick, n_thin]; points before the first or after the last centre extrapolate."""
        points_mm = thick.centres_mm()[:, None] + self.thickness_mm * overlap.NINTHS
        return projection.point_matrix(points_mm, thin)


def build(*, thickness_mm: float, overlap_mm: float) -> Overlap:
    return Overlap(thickness_mm, overlap_mm)
