"""A Gaussian slice profile, given by its full width at half maximum.

Close to what z-filtering leaves of a multi-row scanner's slice when it is much wider than a
detector row. Written from the definition of FWHM; released simulators differ (one uses
sigma = T / sqrt(2.2 ln 2), which is 1.9 times wider).
"""

from dataclasses import dataclass

from scipy.sparse import csr_array

from thinslice.operators import grids, profiles, projection
from thinslice.volume import Grid


@dataclass(frozen=True)
class Gaussian:
    """A bell of FWHM ``thickness_mm``, every ``increment_mm``."""

    thickness_mm: float
    increment_mm: float
    phase_mm: float | None = None  # None: the first thick slice begins where the scan does

    def thick_grid(self, thin: Grid) -> Grid:
        """Thick slices whose FWHM is on the scan, see ``ssp.thick_slices``."""
        return grids.thick_slices(thin, self.thickness_mm, self.increment_mm, self.phase_mm)

    def matrix(self, thin: Grid, thick: Grid) -> csr_array:
        """[n_thick, n_thin]; a tail beyond the scan's end is left out and the rest scaled up."""
        return projection.profile_matrix(profiles.gaussian(self.thickness_mm), thin, thick)


def build(*, thickness_mm: float, increment_mm: float, phase_mm: float | None = None) -> Gaussian:
    return Gaussian(thickness_mm, increment_mm, phase_mm)
