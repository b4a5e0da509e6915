"""Peak signal-to-noise ratio in a named range: one mean square error per volume, then decibels.

Both volumes are clipped to the range. A perfect volume scores infinity, not a made-up 40 or 100;
the mean of slices' decibels, up to 5 dB away from this, is never taken.
"""

import math

import numpy as np

from thinslice.metrics.ranges import width
from thinslice.metrics.rmse import squared_errors
from thinslice.volume import Window


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
