"""Thickness averaging: a thick slice is the plain mean over its thickness.

The pseudo-thick scan most papers train on, for any thickness, increment and phase: thin slices
count by the share of them that the box covers. Scanners' slices are rarely boxes; see
``trapezoid_bell`` and ``measured``.
"""

from dataclasses import dataclass

from scipy.sparse import csr_array

from thinslice.operators import grids, profiles, projection
from thinslice.volume import Grid


@dataclass(frozen=True)
class Box:
    """The mean of ``thickness_mm``, every ``increment_mm``."""

    thickness_mm: float
    increment_mm: float
    phase_mm: float | None = None  # None: the first thick slice begins where the scan does

    def thick_grid(self, thin: Grid) -> Grid:
        """Thick slices on the scan, see ``ssp.thick_slices``."""
        return grids.thick_slices(thin, self.thickness_mm, self.increment_mm, self.phase_mm)

    def matrix(self, thin: Grid, thick: Grid) -> csr_array:
        """[n_thick, n_thin]; whole thin slices under the box weigh the same."""
        return projection.profile_matrix(profiles.box(self.thickness_mm), thin, thick)


def build(*, thickness_mm: float, increment_mm: float, phase_mm: float | None = None) -> Box:
    return Box(thickness_mm, increment_mm, phase_mm)
