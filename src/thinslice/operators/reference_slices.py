"""What a network is shown of an axial slice that it takes as a reference.

Through-plane planes of an interpolated scan are coarse along z, axial slices are fine along both
axes. To find in a slice what looks like a piece of a plane, the slice is made as coarse along its
rows: seen through the thick slices' profile, as many rows apart as thick slices are apart in native
ones, and interpolated linearly back. Lengths are rows, since a network sees pixels, not mm.

Shape suffixes: C channels, Y X in-plane axes.
"""

from collections.abc import Callable

import numpy as np
from scipy.sparse import csr_array

from thinslice.operators import interpolation, projection
from thinslice.volume import Grid

Shown = Callable[[np.ndarray, Grid, Grid], np.ndarray]  # slice_YX, thick and native grid: CYX
POINTS = 9  # that a thick row is the mean of


def as_it_is(slice_YX: np.ndarray, thick: Grid, native: Grid) -> np.ndarray:
    """The slice alone, [1, Y, X]."""
    return slice_YX[None]


def beside_thick_rows(slice_YX: np.ndarray, thick: Grid, native: Grid) -> np.ndarray:
    """The slice, and the slice made coarse along its rows, float32 [2, Y, X]."""
    rows = thick_rows(len(slice_YX), thick, native)
    return np.stack([slice_YX, rows @ slice_YX]).astype(np.float32)


def thick_rows(n: int, thick: Grid, native: Grid) -> csr_array:
    """Weights [n, n] of rows seen through ``thick`` slices, where ``native`` ones are rows.

    The thick rows lie symmetrically about the middle; each is a box as wide as a slice is thick, or
    one row where that is thinner. Rows sum to one.
    """
    apart = max(1.0, thick.increment_mm / native.increment_mm)
    width = max(1.0, thick.thickness_mm / native.increment_mm) - 1.0
    count = int((n - 1) / apart + 1e-9) + 1
    centres = (n - 1 - apart * (count - 1)) / 2 + apart * np.arange(count)
    points = centres[:, None] + width * (np.arange(POINTS) / (POINTS - 1) - 0.5)
    line = Grid(n, 1.0, 1.0, (1, 1), (1.0, 1.0))
    down = projection.point_matrix(points.clip(0, n - 1), line)
    return csr_array(interpolation.weights(centres, np.arange(n), "linear") @ down)
