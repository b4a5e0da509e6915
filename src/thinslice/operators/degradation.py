"""Degrade a thin scan: thick slices, and coarser pixels where the degradation has them."""

from typing import TYPE_CHECKING

import numpy as np

from thinslice.interfaces import Degradation, PlaneDegradation, Scan
from thinslice.operators import projection
from thinslice.volume import Volume

if TYPE_CHECKING:
    from scipy.sparse import csr_array


def thick_of(degradation: Degradation, thin: Scan) -> Volume:
    """Degrade a thin scan to a thick one, slab by slab."""
    grid = degradation.thick_grid(thin.grid)
    voxels = projection.apply(degradation.matrix(thin.grid, grid), thin)
    if isinstance(degradation, PlaneDegradation):
        voxels = in_plane(degradation.planes(thin.grid, grid), voxels)
    return Volume(voxels, grid, thin.modality)


def in_plane(planes: "tuple[csr_array, csr_array]", voxels_ZYX: np.ndarray) -> np.ndarray:
    """Resample slices in-plane, float32: rows by the first matrix, columns by the second.

    Slice by slice, so that only the result is in memory besides the input.
    """
    rows, columns = planes
    n_y, n_x = (len(matrix.indptr) - 1 for matrix in planes)
    out_ZYX = np.empty((len(voxels_ZYX), n_y, n_x), np.float32)
    for k, slice_YX in enumerate(voxels_ZYX):
        out_ZYX[k] = rows @ (columns @ slice_YX.T).T
    return out_ZYX
