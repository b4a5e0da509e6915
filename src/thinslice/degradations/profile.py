"""A multi-row scanner's slice profile, from trapezoid to bell.

``h = (1 - b) trapezoid + b Gaussian``, both of FWHM = nominal thickness times a width factor.
Scanners deliver factors of about 1.0 to 1.4 of the thickness in the header (Fuchs 2000), and bells
once slices are wider than a detector row (Kachelriess & Kalender 2005). The grid states the FWHM.
"""

from dataclasses import dataclass

from scipy.sparse import csr_array

from thinslice.operators import grids, profiles, projection
from thinslice.volume import Grid


@dataclass(frozen=True)
class TrapezoidBell:
    """A profile of the scanner family, every ``increment_mm``."""

    profile: profiles.Profile
    increment_mm: float
    phase_mm: float | None = None  # None: the first thick slice begins where the scan does

    def thick_grid(self, thin: Grid) -> Grid:
        """Thick slices whose FWHM is on the scan, see ``ssp.thick_slices``."""
        return grids.thick_slices(thin, self.profile.fwhm_mm, self.increment_mm, self.phase_mm)

    def matrix(self, thin: Grid, thick: Grid) -> csr_array:
        """[n_thick, n_thin]; a tail beyond the scan's end is left out and the rest scaled up."""
        return projection.profile_matrix(self.profile, thin, thick)


def build(
    *,
    thickness_mm: float,  # nominal, as in a header
    increment_mm: float,
    phase_mm: float | None = None,
    width_factor: float = 1.0,  # FWHM / nominal
    bell_fraction: float = 0.0,  # 0 trapezoid, 1 Gaussian
    ramp_mm: float | None = None,  # flank of the trapezoid; None: 1.2, at most the FWHM
) -> TrapezoidBell:
    profile = profiles.scanner_profile(thickness_mm, width_factor, bell_fraction, ramp_mm)
    return TrapezoidBell(profile, increment_mm, phase_mm)
