"""Structural similarity with a flat window of 7, in 2-D or 3-D: the default of scikit-image.

Sample covariances, K .01 and .03, mean over the pixels whose whole window lies inside. Protocol v1
uses ``ssim`` (Gaussian, inside the body); this one is here for the protocols of other authors.

Everything is float64, whatever comes in. As in ``ssim``, what is filtered are the sum u and the
difference v of the two images: with a = mean(u)^2, b = mean(v)^2, population variances U and V
of u and v, and n pixels in a window,

    SSIM = (a - b + 2 C1) (U - V + 2 C2 (n - 1) / n) / ((a + b + 2 C1) (U + V + 2 C2 (n - 1) / n)),

the usual formula, but equal images give exactly 1. Three dimensions go by slice for slice: box
means in-plane, then a running sum of seven slices, so memory stays at 32 slices.
"""

from collections.abc import Sequence

import cv2
import numpy as np

from thinslice.metrics.whole_windows import whole_windows

SIDE = 7  # of the window
RADIUS = SIDE // 2
BLOCK = 16  # planes copied at once, so that strided planes are read a cache line at a time
INSIDE = (slice(RADIUS, -RADIUS), slice(RADIUS, -RADIUS))


def fits(*sides: int) -> bool:
    """Whether images of these sides hold a window."""
    return min(sides) >= SIDE


def plane_scores(
    restored: np.ndarray,
    thin: np.ndarray,
    peak: float,
    axis: int = 0,
    measured: np.ndarray | None = None,
) -> np.ndarray:
    """SSIM [N] of each of the N planes across ``axis`` of two volumes [Z, Y, X].

    ``peak`` is the length of the range, in the volumes' unit. Windows with a voxel outside the
    boolean ``measured`` do not count, and planes without any other are left out. ValueError where a
    plane is smaller than the window.
    """
    _refuse_small(thin.shape[:axis] + thin.shape[axis + 1 :])
    r, t = (np.moveaxis(v, axis, 0) for v in (restored, thin))
    whole = (
        None if measured is None else _whole(measured, [a for a in (0, 1, 2) if a != axis], axis)
    )
    scores = np.empty(len(t))
    for first in range(0, len(t), BLOCK):
        block = slice(first, first + BLOCK)
        for k, pair in enumerate(zip(*(np.array(v[block], float, order="C") for v in (r, t)))):
            counted = True if whole is None else whole[first + k]
            scores[first + k], _ = _similarity(_box_means(*pair), peak, SIDE**2, counted)
    return scores if whole is None else scores[~np.isnan(scores)]


def volume_score(
    restored: np.ndarray, thin: np.ndarray, peak: float, measured: np.ndarray | None = None
) -> float:
    """SSIM of two volumes [Z, Y, X] with a window of 7 x 7 x 7; arguments as of ``plane_scores``.

    NaN without a window that counts; ValueError where a side is shorter than the window.
    """
    _refuse_small(thin.shape)
    _, rows, columns = thin.shape
    last_seven = np.zeros((SIDE, 4, rows - 2 * RADIUS, columns - 2 * RADIUS))
    running = np.zeros(last_seven.shape[1:])
    whole = None if measured is None else _whole(measured, (0, 1, 2), 0)
    total, weight = 0.0, 0
    for k, (r, t) in enumerate(zip(restored, thin)):
        running -= last_seven[k % SIDE]
        last_seven[k % SIDE] = _box_means(r, t)
        running += last_seven[k % SIDE]
        if k >= SIDE - 1:
            counted = True if whole is None else whole[k - RADIUS]
            mean, windows = _similarity(running / SIDE, peak, SIDE**3, counted)
            share = 1 if whole is None else windows
            total, weight = total + (mean * share if share else 0.0), weight + share
    return total / weight if weight else float("nan")


def _whole(measured: np.ndarray, axes: Sequence[int], across: int) -> np.ndarray:
    """Whole windows inside each plane across an axis, [N, A - 6, B - 6]."""
    whole = np.moveaxis(whole_windows(measured, SIDE, axes), across, 0)
    return whole[:, *INSIDE]


def _box_means(restored: np.ndarray, thin: np.ndarray) -> np.ndarray:
    """Means over 7 x 7 pixels of u, v, u^2 and v^2, [4, Y - 6, X - 6]."""
    r, t = restored.astype(np.float64), thin.astype(np.float64)
    u, v = r + t, r - t
    maps = (u, v, u * u, v * v)
    return np.stack([cv2.boxFilter(values, -1, (SIDE, SIDE))[INSIDE] for values in maps])


def _similarity(
    means: np.ndarray, peak: float, n: int, counted: np.ndarray | bool
) -> tuple[float, int]:
    """Mean SSIM of the windows that count, NaN without any, and their number.

    From the means of u, v, u^2 and v^2 over windows of n pixels.
    """
    a, b = np.square(means[0]), np.square(means[1])
    U, V = means[2] - a, means[3] - b
    luminance, structure = 2 * (0.01 * peak) ** 2, 2 * (0.03 * peak) ** 2 * (n - 1) / n
    shared = (a - b + luminance) * (U - V + structure)
    values = shared / ((a + b + luminance) * (U + V + structure))
    if counted is not True:
        values = values[counted]
    return (float(values.mean()), values.size) if values.size else (float("nan"), 0)


def _refuse_small(shape: tuple[int, ...]) -> None:
    if not fits(*shape):
        raise ValueError(f"SSIM has a window of {SIDE} to a side, the images are {shape}")
