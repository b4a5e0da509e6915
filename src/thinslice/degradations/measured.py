"""A slice profile measured on a scanner: the taps are settings.

Taps come from ``taps.estimate_taps`` on a pair of one acquisition, or from a profile measured with
a bead or foil phantom. They are scaled to sum to one and centred on their centre of mass.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from thinslice.operators import grids
from thinslice.operators.profile_fit import ProfileFit, matrix_from_taps
from thinslice.volume import Grid


@dataclass(frozen=True)
class Measured:
    """Measured taps, every ``increment_mm``."""

    taps: ProfileFit
    increment_mm: float
    phase_mm: float | None = None  # None: the first thick slice begins where the scan does

    def thick_grid(self, thin: Grid) -> Grid:
        """Thick slices whose FWHM (linear between taps) is on the scan."""
        return grids.thick_slices(thin, self.taps.fwhm_mm, self.increment_mm, self.phase_mm)

    def matrix(self, thin: Grid, thick: Grid) -> csr_array:
        """[n_thick, n_thin]; on slices ``spacing_mm`` apart the rows are the taps."""
        return matrix_from_taps(self.taps, thin, thick)


def build(
    *,
    taps: Sequence[float],
    spacing_mm: float,  # between taps
    increment_mm: float,
    phase_mm: float | None = None,
) -> Measured:
    return Measured(ProfileFit(np.asarray(taps, float), spacing_mm), increment_mm, phase_mm)
