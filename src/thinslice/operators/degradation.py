"""Degrade a thin scan: thick slices, and coarser pixels where the degradation has them."""

from typing import TYPE_CHECKING

import numpy as np

from thinslice.interfaces import Degradation, PlaneDegradation, Scan
from thinslice.operators import padding, projection
from thinslice.volume import Volume

if TYPE_CHECKING:
    from scipy.sparse import csr_array


def thick_of(degradation: Degradation, thin: Scan) -> Volume:
    """Degrade a thin scan to a thick one, slab by slab; what saw padding is padding.

    Its second contrast stays as it is.
    """
    grid = degradation.thick_grid(thin.grid)
    matrix, planes = degradation.matrix(thin.grid, grid), None
    if isinstance(degradation, PlaneDegradation):
        planes = degradation.planes(thin.grid, grid)
    outside = padding.projected(
        thin.padding,
        lambda part: _seen(abs(matrix), planes and (abs(planes[0]), abs(planes[1])), part),
    )
    other = thin.second
    second = Volume(other.read(), other.grid, other.modality) if other else None
    return Volume(_seen(matrix, planes, thin), grid, thin.modality, outside, second)


def _seen(
    matrix: "csr_array", planes: "tuple[csr_array, csr_array] | None", scan: Scan | np.ndarray
) -> np.ndarray:
    voxels = projection.apply(matrix, scan)
    return voxels if planes is None else in_plane(planes, voxels)


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
