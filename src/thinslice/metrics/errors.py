"""Voxelwise errors: RMSE (the primary score), MAE, PSNR, and the value ranges they use.

RMSE is range-free, so no choice of window can flatter it; PSNR states its range, and volumes are
clipped to it. Squares are summed slice by slice: the sums of slices can be regrouped (by phase, see
``scored_slices``) and a 512x512x300 volume needs no copy. A difference is taken in the voxels' own
type, squared and summed in float64.
"""

import math

import cv2
import numpy as np

from thinslice.volume import Window

WIDE = Window(-1024.0, 2976.0)  # HU; 4000 wide: everything but metal
LUNG = Window(-1000.0, 400.0)  # HU; 1400 wide
SOFT = Window(-160.0, 240.0)  # HU; 400 wide: soft tissue
UNIT = Window(0.0, 1.0)  # MR, after scaling


def squared_errors(
    restored: np.ndarray, thin: np.ndarray, mask: np.ndarray, window: Window | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Sum of squared errors [Z] and number of voxels [Z] of every slice, inside the mask.

    Volumes and the boolean mask are [Z, Y, X]; with ``window``, both volumes are clipped to it.
    """
    sums, counts = np.zeros(len(mask)), np.zeros(len(mask), np.int64)
    for k, inside in enumerate(mask):
        r, t = restored[k], thin[k]
        if window is not None:
            r, t = r.clip(window.low, window.high), t.clip(window.low, window.high)
        sums[k] = cv2.norm(r, t, cv2.NORM_L2SQR, inside.view(np.uint8))
        counts[k] = np.count_nonzero(inside)
    return sums, counts


def rmse(restored: np.ndarray, thin: np.ndarray, mask: np.ndarray) -> float:
    """Root mean square error over the mask, in the voxels' unit; NaN where the mask is empty."""
    sums, counts = squared_errors(restored, thin, mask)
    return float(np.sqrt(sums.sum() / counts.sum())) if counts.any() else float("nan")


def mae(restored: np.ndarray, thin: np.ndarray, mask: np.ndarray) -> float:
    """Mean absolute error over the boolean mask [Z, Y, X], in the voxels' unit; NaN if empty."""
    slices = zip(restored, thin, mask.view(np.uint8))
    total = float(sum(cv2.norm(r, t, cv2.NORM_L1, inside) for r, t, inside in slices))
    n = np.count_nonzero(mask)
    return total / n if n else float("nan")


def decibels(mean_squared_error: float, peak: float) -> float:
    """10 log10(peak^2 / mean square error); infinite where there is no error."""
    if mean_squared_error == 0:
        return math.inf
    return 10 * math.log10(peak**2 / mean_squared_error)


def psnr(restored: np.ndarray, thin: np.ndarray, mask: np.ndarray, window: Window) -> float:
    """PSNR over the boolean mask [Z, Y, X], volumes clipped to ``window``, dB; NaN if empty."""
    sums, counts = squared_errors(restored, thin, mask, window)
    if not counts.any():
        return math.nan
    return decibels(float(sums.sum() / counts.sum()), width(window))


def width(window: Window) -> float:
    """L of the formulas: the length of a range, in the unit of its values."""
    return window.high - window.low
