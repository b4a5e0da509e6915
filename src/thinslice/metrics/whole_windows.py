"""Windows of a metric that hold measurements alone: padding is no pixel to compare."""

from collections.abc import Sequence

import numpy as np
from scipy.ndimage import minimum_filter1d


def whole_windows(measured: np.ndarray, side: int, axes: Sequence[int]) -> np.ndarray:
    """Boolean [Z, Y, X], true at the centres of windows in which every voxel is measured.

    side   of the window, odd, along ``axes``; what lies beyond the volume does not count
    """
    out = measured.view(np.uint8)
    for axis in axes:
        out = minimum_filter1d(out, side, axis=axis, mode="constant", cval=1)
    return out.view(bool)
