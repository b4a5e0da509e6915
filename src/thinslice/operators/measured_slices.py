"""What the thick slices say of the slices asked for, through a box as wide as they are thick.

A thick slice counts where its box lies on the slices asked for. Thick slices no thicker than those
are taken for single ones of them. A step towards what was measured is ``operators.consistency``'s.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from thinslice.operators import consistency
from thinslice.operators.thickening import SliceProfile, covered, matrix_of
from thinslice.volume import Grid, Volume, Window

COVERED = 0.95  # share of a thick slice's box that must lie on the slices asked for


@dataclass(frozen=True)
class Measured:
    """Thick slices as a network sees them, and how they arise.

    matrix     [n_thick, n]; rows of slices that do not count are zero
    unit       the thick slices in [0, 1]
    padded     true where this slice was not measured but another was; None: nowhere. Where none
               was, the scan is taken for the air that it is filled with, as if a file said air
    """

    matrix: np.ndarray
    unit: np.ndarray
    padded: np.ndarray | None

    @classmethod
    def of(cls, thick: Volume, grid: Grid, window: Window) -> "Measured":
        """Of the slices of ``grid``, whose pixels must be those of ``thick``."""
        box = SliceProfile(thick.grid.thickness_mm, bell=0.0)
        rows = covered(box, grid, thick.grid) >= COVERED
        matrix = matrix_of(box, grid, thick.grid, rows)
        padded = thick.padded()
        if padded is not None:
            padded = padded & ~padded.all(axis=0)
        return cls(matrix, window.to_unit(thick.voxels), padded)

    def approached(self, unit_ZYX: np.ndarray, damping: float) -> np.ndarray:
        """One step of ``unit_ZYX`` (float32, overwritten) towards what was measured.

        damping   0: agrees exactly; see ``operators.consistency``
        """
        if not self.matrix.any():
            return unit_ZYX
        return consistency.step(
            unit_ZYX,
            self.unit,
            self.matrix,
            damping=damping,
            padded_thick=self.padded,
            out=unit_ZYX,
        )

    @property
    def depth(self) -> int:
        """Slices of a block that holds a whole thick slice wherever it begins; 0 without any."""
        some = [np.flatnonzero(row) for row in self.matrix if row.any()]
        spans = max((int(k[-1] - k[0]) + 1 for k in some), default=0)
        steps = max((int(b[0] - a[0]) for a, b in pairwise(some)), default=0)
        return spans + steps

    def within(self, z: np.ndarray) -> np.ndarray:
        """Numbers of the thick slices all of whose parts lie at the positions ``z``."""
        inside = np.zeros(self.matrix.shape[1], bool)
        inside[z[z < len(inside)]] = True
        some = self.matrix.any(1)
        return np.flatnonzero(some & ~self.matrix[:, ~inside].any(1))

    def block(
        self, rows: np.ndarray, at: tuple[np.ndarray, np.ndarray, np.ndarray]
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Of a block at positions (z, y, x), some past the end: float32, of K thick slices.

        Their weights [K, Z], their values [K, Y, X], and 1 where a value counts, else 0.
        """
        n, sides = self.matrix.shape[1], self.unit.shape[1:]
        there = at[0] < n
        weights_KZ = np.zeros((len(rows), len(at[0])), np.float32)
        weights_KZ[:, there] = self.matrix[np.ix_(rows, at[0][there])]
        y, x = (p.clip(0, side - 1) for p, side in zip(at[1:], sides))
        values_KYX = self.unit[np.ix_(rows, y, x)].astype(np.float32)
        counts_KYX = np.ones_like(values_KYX)
        if self.padded is not None:
            counts_KYX[self.padded[np.ix_(rows, y, x)]] = 0
        return weights_KZ, values_KYX, counts_KYX
