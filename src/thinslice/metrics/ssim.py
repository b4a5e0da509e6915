"""Structural similarity of planes: Gaussian taps (11, sigma 1.5), K .01 and .03, valid region only.

Wang et al. 2004, with population covariances and L the length of a named range; both volumes are
clipped to the range and counted from its lower end, because SSIM is meant for values in [0, L]
and turns unintuitive below zero (Nilsson and Akenine-Moller 2020). Planes are axial [Y, X],
coronal [Z, X] or sagittal [Z, Y]; the last two are where through-plane restoration shows.

No border rule is made up: a pixel counts only where its whole window lies inside the plane.
Maps are float64; means over a volume, by ``ssim_views``, are taken from float32. The four filtered
maps are those of the sum u and the difference v of the two planes: with a = mean(u)^2,
b = mean(v)^2 and U, V their variances,

    SSIM = (a - b + 2 C1) (U - V + 2 C2) / ((a + b + 2 C1) (U + V + 2 C2)),

the usual formula, but equal planes (v = 0) give exactly 1 and no large squares cancel.
"""

import cv2
import numpy as np

from thinslice.metrics.errors import width
from thinslice.volume import Window

PLANES = {"axial": 0, "coronal": 1, "sagittal": 2}  # name -> axis across the planes
RADIUS = 5  # 11 taps


def gaussian_taps(radius: int = RADIUS, sigma: float = 1.5) -> np.ndarray:
    """Gaussian weights [2 radius + 1], summing to one."""
    offsets = np.arange(-radius, radius + 1)
    weights = np.exp(-0.5 * (offsets / sigma) ** 2)
    return weights / weights.sum()


TAPS = gaussian_taps()


def ssim_map(
    restored: np.ndarray, thin: np.ndarray, window: Window, work: np.ndarray | None = None
) -> np.ndarray:
    """SSIM [A, B] of two planes [A, B], float64; right only RADIUS pixels or more from the edge.

    ``work`` [6, A B or more], float64, is space to work in, and holds the answer.
    """
    if work is None:
        work = np.empty((6, restored.size))
    rows = work[:, : restored.size].reshape(6, *restored.shape)
    pair, maps = rows[:2], rows[2:]
    sum_and_difference(restored, thin, window, *pair)
    for values, mean in zip(pair, maps[::2]):
        smooth(values, mean)
    np.square(pair, out=pair)
    for values, mean_square in zip(pair, maps[1::2]):
        smooth(values, mean_square)
    return combine(maps, window, pair)


def smooth(values: np.ndarray, out: np.ndarray) -> None:
    """Gaussian-weighted means of a plane [A, B], into ``out``; both float64."""
    cv2.sepFilter2D(values, -1, TAPS, TAPS, dst=out)


def sum_and_difference(
    r: np.ndarray, t: np.ndarray, window: Window, u: np.ndarray, v: np.ndarray
) -> None:
    """Clipped r + t, counted from the range's middle, into ``u``; r - t into ``v``; all [A, B]."""
    np.clip(t, window.low, window.high, out=u)
    np.clip(r, window.low, window.high, out=v)
    v -= u
    u *= 2
    u += v
    u -= window.low + window.high


def combine(maps: np.ndarray, window: Window, work: np.ndarray, shift: float = 0.0) -> np.ndarray:
    """SSIM [A, B], in ``work``, from the smoothed maps; both are overwritten.

    maps    [4, A, B]: mean and mean square of u, mean and mean square of v
    work    [2, A, B]
    shift   what was taken from v before
    """
    L = width(window)
    of_sum, of_difference = maps[:2], maps[2:]
    means, squares = maps[::2], maps[1::2]
    squares -= np.square(means, out=work)  # variances now
    means += _pair(L, shift, maps)  # counted from the range's lower end now
    np.square(means, out=means)
    of_sum += _pair(2 * (0.01 * L) ** 2, 2 * (0.03 * L) ** 2, maps)
    np.subtract(of_sum, of_difference, out=work)
    of_sum += of_difference
    ssim = np.multiply(*work, out=work[0])
    ssim /= np.multiply(*of_sum, out=of_sum[0])
    return ssim


def _pair(first: float, second: float, like: np.ndarray) -> np.ndarray:
    """One number for each of two maps, in their type."""
    return np.array([first, second], like.dtype).reshape(2, 1, 1)
