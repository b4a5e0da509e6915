"""Mean absolute error: beside RMSE, it says whether a few large errors or many small ones count."""

import cv2
import numpy as np


def mae(restored: np.ndarray, thin: np.ndarray, mask: np.ndarray) -> float:
    """Mean absolute error over the boolean mask [Z, Y, X], in the voxels' unit; NaN if empty."""
    slices = zip(restored, thin, mask.view(np.uint8))
    total = float(sum(cv2.norm(r, t, cv2.NORM_L1, inside) for r, t, inside in slices))
    n = np.count_nonzero(mask)
    return total / n if n else float("nan")
