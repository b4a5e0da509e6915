"""Fine noise along the rows of slices, by the median second difference.

A row of a thick slice is never blurred by what made it thick, so the number means the same for a
crop of one plane and for a whole scan. Edges and ramps hardly move it; noise that a soft kernel has
smoothed counts for less than its standard deviation.
"""

import numpy as np

PER_SD = 0.6745 * 6**0.5  # median absolute second difference of white noise of sd 1
SLICES = 5  # of a scan that are looked at


def row_noise(rows: np.ndarray) -> float:
    """Noise of rows [..., W], in their unit, over the brighter half of each slice or plane."""
    if rows.shape[-1] < 3:
        return 0.0
    rough = np.abs(rows[..., 2:] - 2 * rows[..., 1:-1] + rows[..., :-2])
    middle = rows[..., 1:-1]
    return float(np.median(rough[middle >= np.median(middle)]) / PER_SD)


def scan_noise(voxels_ZYX: np.ndarray) -> float:
    """Row noise of a scan's middle slices, the median of them; air that is all alike left out.

    Crops are mostly of the patient. A scan may be air by more than half, and air written as one
    number (padding, too, which is filled so) has no noise to measure.
    """
    n = len(voxels_ZYX)
    middle = np.unique(np.linspace(n // 4, max(3 * n // 4, n // 4), SLICES).astype(int))
    return float(np.median([row_noise(_measured(voxels_ZYX[k])) for k in middle]))


def _measured(slice_YX: np.ndarray) -> np.ndarray:
    """The rows and columns of a slice from the first to the last voxel above its lowest value."""
    inside = slice_YX > slice_YX.min()
    if not inside.any():
        return slice_YX
    y, x = (np.flatnonzero(inside.any(axis)) for axis in (1, 0))
    return slice_YX[y[0] : y[-1] + 1, x[0] : x[-1] + 1]
