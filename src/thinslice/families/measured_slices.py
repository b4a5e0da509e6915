"""What the thick slices say of the slices asked for, through a box as wide as they are thick.

A thick slice counts where its box lies on the slices asked for. Thick slices no thicker than those
are taken for single ones of them. A step towards what was measured is ``operators.consistency``'s.
"""

from dataclasses import dataclass

import numpy as np

from thinslice.operators import consistency
from thinslice.operators.thickening import SliceProfile, covered, matrix_of
from thinslice.volume import Grid, Volume, Window

COVERED = 0.95  # share of a thick slice's box that must lie on the slices asked for


@dataclass(frozen=True)
class Measured:
    """Thick slices as a network sees them, and how they arise.

    matrix     [n_thick, n]; rows of slices that do not count are zero
    unit_ZYX   the thick slices in [0, 1]
    padded     true where nothing was measured, or None
    """

    matrix: np.ndarray
    unit_ZYX: np.ndarray
    padded: np.ndarray | None

    @classmethod
    def of(cls, thick: Volume, grid: Grid, window: Window) -> "Measured":
        """Of the slices of ``grid``, whose pixels must be those of ``thick``."""
        box = SliceProfile(thick.grid.thickness_mm, bell=0.0)
        rows = covered(box, grid, thick.grid) >= COVERED
        matrix = matrix_of(box, grid, thick.grid, rows)
        return cls(matrix, window.to_unit(thick.voxels), thick.padded())

    def approached(self, unit_ZYX: np.ndarray, damping: float) -> np.ndarray:
        """One step of ``unit_ZYX`` (float32, overwritten) towards what was measured.

        damping   0: agrees exactly; see ``operators.consistency``
        """
        if not self.matrix.any():
            return unit_ZYX
        return consistency.step(
            unit_ZYX,
            self.unit_ZYX,
            self.matrix,
            damping=damping,
            padded_thick=self.padded,
            out=unit_ZYX,
        )
