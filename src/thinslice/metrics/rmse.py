"""Root mean square error: the primary score. Range-free, so no choice of window can flatter it.

Squares are summed slice by slice, so that the sums of slices can be regrouped (by phase, see
``phases``) and a 512x512x300 volume needs no copy. A difference is taken in the voxels' own type,
squared and summed in float64.
"""

import cv2
import numpy as np

from thinslice.volume import Window


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
