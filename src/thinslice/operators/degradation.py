"""A thin scan through a degradation: thick slices, and coarser pixels where it makes them."""

from typing import TYPE_CHECKING

import numpy as np

from thinslice.interfaces import Degradation, PlaneDegradation, Scan
from thinslice.operators import projection
from thinslice.volume import Volume

if TYPE_CHECKING:
    from scipy.sparse import csr_array


def thick_of(degradation: Degradation, thin: Scan) -> Volume:
    """The thick scan that a degradation makes of a thin one, slab by slab."""
    grid = degradation.thick_grid(thin.grid)
    voxels = projection.apply(degradation.matrix(thin.grid, grid), thin)
    if isinstance(degradation, PlaneDegradation):
        voxels = in_plane(degradation.planes(thin.grid, grid), voxels)
    return Volume(voxels, grid, thin.modality)


def in_plane(planes: "tuple[csr_array, csr_array]", voxels_ZYX: np.ndarray) -> np.ndarray:
    """The same slices with other pixels, float32: rows by the first matrix, columns by the other.

    Slices pass one by one, so nothing but the result is held besides the input.
    """
    rows, columns = planes
    n_y, n_x = (len(one.indptr) - 1 for one in planes)
    out_ZYX = np.empty((len(voxels_ZYX), n_y, n_x), np.float32)
    for k, one_YX in enumerate(voxels_ZYX):
        out_ZYX[k] = rows @ (columns @ one_YX.T).T
    return out_ZYX
