"""Data consistency: does the restored volume, made thick again, give back the thick one?

A method may invent detail between thick slices, but not against them. The matrix is the one that
made the thick volume, so this asks for no truth; its bias shows HU drift that SSIM cannot see.
"""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:  # scipy.sparse is loaded only by who has a matrix
    from scipy.sparse import csr_array

ROWS = 32  # of the image, projected at a time
INSIDE = 0.999  # of a thick slice's weight must lie on scored thin slices


class Consistency(NamedTuple):
    """Of A(restored) - thick, in the voxels' unit; NaN and 0 where no thick voxel qualifies."""

    rmse: float
    bias: float
    n: int  # thick voxels


def consistency(
    restored: np.ndarray,
    thick: np.ndarray,
    matrix: "csr_array",
    mask: np.ndarray,
    kept: slice = slice(None),
    left_out: np.ndarray | None = None,
) -> Consistency:
    """Mean and root mean square of matrix @ restored - thick.

    ``restored`` and the boolean ``mask`` are [Z, Y, X], ``thick`` [n_thick, Y, X], ``matrix``
    [n_thick, Z]. A thick voxel counts where at least half of its weight is in the mask and
    its slice rests on the ``kept`` thin slices, unless the boolean ``left_out`` [n_thick, Y, X] has
    it. Thick pixels that are coarser are the caller's business: ``restored`` comes with theirs, and
    ``mask`` as the share of each that is inside.
    Raises ValueError where the shapes do not fit.
    """
    if matrix.shape != (len(thick), len(restored)) or thick.shape[1:] != restored.shape[1:]:
        raise ValueError(
            f"a matrix {matrix.shape} cannot take restored {restored.shape} to thick {thick.shape}"
        )
    inside = np.zeros(len(restored), bool)
    inside[kept] = True
    rests = abs(matrix) @ inside >= INSIDE * (abs(matrix) @ np.ones(len(restored)))
    square, total, n = 0.0, 0.0, 0
    for y in range(0, restored.shape[1], ROWS):
        rows = slice(y, y + ROWS)
        if not mask[:, rows].any():  # air around a body is a third of a scan
            continue
        error = _project(matrix, restored[:, rows]) - thick[:, rows]
        counts = (_project(matrix, mask[:, rows]) >= 0.5) & rests[:, None, None]
        if left_out is not None:
            counts &= ~left_out[:, rows]
        counted = error[counts]
        square, total, n = square + counted @ counted, total + counted.sum(), n + counted.size
    if not n:
        return Consistency(float("nan"), float("nan"), 0)
    return Consistency(float(np.sqrt(square / n)), float(total / n), n)


def _project(matrix: "csr_array", volume: np.ndarray) -> np.ndarray:
    """Thick slices [n_thick, Y, X] of a volume [Z, Y, X], float64."""
    flat = volume.reshape(len(volume), -1).astype(np.float64)
    return (matrix @ flat).reshape(-1, *volume.shape[1:])
