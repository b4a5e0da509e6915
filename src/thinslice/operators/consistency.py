"""Make restored slices consistent with the thick slices they were restored from.

One proximal step along z, column by column:

    x' = x + A' (A A' + l)^-1 (y - A x)

x are restored slices, y thick ones, A the matrix [n_thick, n_thin] that makes thick slices of thin
ones; any matrix will do, of a regular grid or of single slice planes. It is the smallest change of
x that brings A x to within l's bound of y:

    y - A x' = l (A A' + l)^-1 (y - A x)

A consistent x stays as it is, and so does the part of x that A does not see. Without l every error
of A and all noise of y would be written into x; l is a share of the mean of A A's diagonal.
"""

import numpy as np
from scipy.sparse import csr_array

DAMPING = 1.0  # halves what non-overlapping slices leave; measured: worsens no restored scan tried
SLAB = 16  # rows of y at a time


def correction(matrix: csr_array | np.ndarray, damping: float = DAMPING) -> np.ndarray:
    """Weights [n_thin, n_thick] of the differences y - A x in the change of x.

    damping   share of the mean of A A's diagonal that is added to it; 0: exactly consistent
    Raises ValueError for a negative damping; slices that A does not see change nothing.
    """
    if not damping >= 0:
        raise ValueError(f"damping starts at 0, found {damping}")
    a = matrix.toarray() if isinstance(matrix, csr_array) else np.asarray(matrix, float)
    gram = a @ a.T
    added = damping * gram.trace() / max(len(gram), 1)
    if added == 0.0:
        return np.linalg.pinv(a)
    return np.linalg.solve(gram + added * np.eye(len(gram)), a).T


def step(
    restored_ZYX: np.ndarray,
    thick_ZYX: np.ndarray,
    matrix: csr_array | np.ndarray,
    *,
    damping: float = DAMPING,
    low: float = -np.inf,
    high: float = np.inf,
    padded_restored: np.ndarray | None = None,
    padded_thick: np.ndarray | None = None,
    out: np.ndarray | None = None,
    slab: int = SLAB,
) -> np.ndarray:
    """The restored voxels after one step, float32 [Z, Y, X], cut to ``low`` .. ``high``.

    restored_ZYX, thick_ZYX   voxels of one frame and the same pixels
    matrix                    [n_thick, n_thin]
    padded_...                boolean, true where nothing was measured: a thick slice does not count
                              in a column where it is padded or sees a padded restored voxel, and
                              padded voxels keep their values
    out                       where the result goes, may be restored_ZYX itself; None: a new array
    slab                      rows of y computed at a time; the result does not depend on it
    Raises ValueError where the matrix does not fit the voxels.
    """
    a = matrix.toarray() if isinstance(matrix, csr_array) else np.asarray(matrix, float)
    _refuse_unfit(a, restored_ZYX, thick_ZYX)
    change = correction(a, damping)
    sees = (a != 0).astype(np.float32)
    out = np.empty(restored_ZYX.shape, np.float32) if out is None else out
    for y in range(0, out.shape[1], slab):
        rows = slice(y, y + slab)
        x = restored_ZYX[:, rows].reshape(len(out), -1).astype(float)
        left = thick_ZYX[:, rows].reshape(len(a), -1) - a @ x
        empty_thick, empty_thin = (
            None if mask is None else mask[:, rows].reshape(values.shape)
            for mask, values in ((padded_thick, left), (padded_restored, x))
        )
        if empty_thick is not None:
            left[empty_thick] = 0.0
        if empty_thin is not None:
            left[sees @ empty_thin.astype(np.float32) > 0] = 0.0
        new = np.clip(x + change @ left, low, high)
        if empty_thin is not None:
            new[empty_thin] = x[empty_thin]
        out[:, rows] = new.reshape(out[:, rows].shape)
    return out


def _refuse_unfit(a: np.ndarray, restored_ZYX: np.ndarray, thick_ZYX: np.ndarray) -> None:
    fits = a.shape == (len(thick_ZYX), len(restored_ZYX))
    if not fits or restored_ZYX.shape[1:] != thick_ZYX.shape[1:]:
        raise ValueError(
            f"a matrix {a.shape} cannot take restored {restored_ZYX.shape} to {thick_ZYX.shape}"
        )
