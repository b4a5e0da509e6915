"""Structural similarity in three dimensions of values in [0, 1] and beyond: nothing is clipped.

The formula, taps (11, sigma 1.5), valid region and population covariances of ``ssim_volume`` for a
range of 0 to 1, as in scikit-image with Gaussian weights; for the protocols of other authors, whose
restored values may leave the range. Slices go by one after the other, float64: taps in-plane, then
along z over the last eleven, so that memory stays at 44 slices.
"""

import numpy as np

from thinslice.metrics.errors import UNIT
from thinslice.metrics.ssim import RADIUS, TAPS, combine, smooth
from thinslice.metrics.whole_windows import whole_windows

SIDE = 2 * RADIUS + 1  # of the window
INSIDE = (slice(RADIUS, -RADIUS), slice(RADIUS, -RADIUS))


def fits(*sides: int) -> bool:
    """Whether a volume of these sides holds a window."""
    return min(sides) >= SIDE


def unclipped_score(
    restored: np.ndarray, thin: np.ndarray, measured: np.ndarray | None = None
) -> tuple[float, int]:
    """Mean SSIM of two volumes [Z, Y, X], and the number of windows; (NaN, 0) if there are none.

    Windows with a voxel outside the boolean ``measured`` do not count. ValueError where a side is
    shorter than the window.
    """
    if not fits(*thin.shape):
        raise ValueError(f"SSIM has a window of {SIDE} to a side, the volumes are {thin.shape}")
    whole = None if measured is None else whole_windows(measured, SIDE, (0, 1, 2))
    last = np.empty((SIDE, 4, *(side - 2 * RADIUS for side in thin.shape[1:])))
    total, windows = 0.0, 0
    for k, pair in enumerate(zip(restored, thin)):
        last[k % SIDE] = _in_plane(*pair)
        if k < SIDE - 1:
            continue
        in_order = np.roll(TAPS, (k + 1) % SIDE)  # the oldest slice lies where the next one will
        maps = np.tensordot(in_order, last, 1)
        values = combine(maps, UNIT, np.empty_like(maps[:2]))
        if whole is not None:
            values = values[whole[k - RADIUS][INSIDE]]
        total, windows = total + float(values.sum()), windows + values.size
    return (total / windows, windows) if windows else (float("nan"), 0)


def _in_plane(restored: np.ndarray, thin: np.ndarray) -> np.ndarray:
    """Weighted means in-plane of u, u^2, v and v^2 [4, Y - 10, X - 10], as ``combine`` has them."""
    r, t = restored.astype(np.float64), thin.astype(np.float64)
    u, v = r + t - (UNIT.low + UNIT.high), r - t
    out = np.empty((4, *r.shape))
    for k, values in enumerate((u, u * u, v, v * v)):
        smooth(values, out[k])
    return out[:, *INSIDE]
