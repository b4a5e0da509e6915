"""Mean absolute error: beside RMSE, it says whether a few large errors or many small ones count."""

import numpy as np


def mae(restored: np.ndarray, thin: np.ndarray, mask: np.ndarray) -> float:
    """Mean absolute error over the boolean mask [Z, Y, X], in the voxels' unit; NaN if empty."""
    total, n = 0.0, 0
    for k in np.flatnonzero(mask.any(axis=(1, 2))):
        error = np.subtract(restored[k][mask[k]], thin[k][mask[k]], dtype=np.float64)
        total, n = total + float(np.abs(error).sum()), n + error.size
    return total / n if n else float("nan")
