"""Root mean square error: the primary score. Range-free, so no choice of window can flatter it.

Squares are summed slice by slice in float64, whatever the voxels' type, so that the sums of
slices can be regrouped (by phase, see ``phases``) and a 512x512x300 volume needs no copy.
"""

import numpy as np

from thinslice.volume import Window


def squared_errors(
    restored: np.ndarray, thin: np.ndarray, mask: np.ndarray, window: Window | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Sum of squared errors [Z] and number of voxels [Z] of every slice, inside the mask.

    Volumes and the boolean mask are [Z, Y, X]; with ``window``, both volumes are clipped to it.
    """
    sums, counts = np.zeros(len(mask)), np.zeros(len(mask), np.int64)
    for k in np.flatnonzero(mask.any(axis=(1, 2))):
        r, t = restored[k][mask[k]], thin[k][mask[k]]
        if window is not None:
            r, t = r.clip(window.low, window.high), t.clip(window.low, window.high)
        error = np.subtract(r, t, dtype=np.float64)
        sums[k], counts[k] = error @ error, error.size
    return sums, counts


def rmse(restored: np.ndarray, thin: np.ndarray, mask: np.ndarray) -> float:
    """Root mean square error over the mask, in the voxels' unit; NaN where the mask is empty."""
    sums, counts = squared_errors(restored, thin, mask)
    return float(np.sqrt(sums.sum() / counts.sum())) if counts.any() else float("nan")
