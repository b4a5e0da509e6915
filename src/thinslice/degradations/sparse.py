"""Sparse sampling: some thin slices are kept as they are, the others dropped.

The thick scan of I3Net and SAINT: slices far apart but still thin, so the thickness stated is the
thin scan's own. Where an increment or a phase falls between two thin slices, they are interpolated
linearly (which averages their noise; only whole multiples of the thin increment do not). With
``whole_slices`` the nearest whole multiples are taken instead: every fifth slice of a scan whose
slices lie 1.002 mm apart, where 5 mm are asked for.
"""

from dataclasses import dataclass

from scipy.sparse import csr_array

from thinslice.operators import grids, projection
from thinslice.volume import Grid


@dataclass(frozen=True)
class Sparse:
    """Every ``increment_mm``, the thin slice that is there."""

    increment_mm: float
    phase_mm: float = 0.0  # first kept position after the first thin centre
    whole_slices: bool = False  # increment and phase rounded to whole thin increments

    def thick_grid(self, thin: Grid) -> Grid:
        """Positions within the thin centres; the thickness stays the thin one's."""
        increment_mm, phase_mm = self.increment_mm, self.phase_mm
        if self.whole_slices:
            increment_mm = max(round(increment_mm / thin.increment_mm), 1) * thin.increment_mm
            phase_mm = round(phase_mm / thin.increment_mm) * thin.increment_mm
        slices = grids.thick_slices(thin, thin.increment_mm, increment_mm, phase_mm)
        return thin.with_slices(
            n=slices.n,
            increment_mm=slices.increment_mm,
            thickness_mm=thin.thickness_mm,
            start_mm=slices.start_mm,
        )

    def matrix(self, thin: Grid, thick: Grid) -> csr_array:
        """[n_thick, n_thin]: one weight of one per row, or two that sum to one."""
        return projection.point_matrix(thick.centres_mm()[:, None], thin)


def build(*, increment_mm: float, phase_mm: float = 0.0, whole_slices: bool = False) -> Sparse:
    return Sparse(increment_mm, phase_mm, whole_slices)
