"""Kernels of interpolation between evenly spaced samples, by name.

Cubic is the interpolating B-spline (Unser 1999: its samples are prefiltered), as in scipy.ndimage.

"Bicubic" of image tools is the Keys kernel (Keys 1981): four taps, no prefilter, one free number a.
It is -0.5 in MATLAB's ``imresize`` and Pillow (``keys``: parabolas stay parabolas), and -0.75 in
PyTorch and OpenCV (``keys75``: sharper, and a ramp moves by up to 5 % of a sample).

Lanczos is a windowed sinc (Duchon 1979) of 2, 3 or 4 lobes to either side: three in Pillow, two or
three in MATLAB, four in OpenCV. Its taps are scaled to sum to one, and still move a ramp, by up to
3, 2 and 1.5 % of a sample.
"""

from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple

import numpy as np

Kind = Literal["nearest", "linear", "cubic", "keys", "keys75", "lanczos2", "lanczos3", "lanczos4"]


class Kernel(NamedTuple):
    """A kernel, its number of taps, and what these see past the ends."""

    taps: int
    weigh: Callable[[np.ndarray], np.ndarray]  # of distances, in samples, not negative
    repeats_ends: bool = False  # else what lies past the ends is mirrored


def b_spline(d: np.ndarray) -> np.ndarray:
    """The cubic B-spline at distances d; it weighs coefficients, not samples."""
    return np.where(d < 1, 2 / 3 - d**2 + d**3 / 2, np.maximum(2 - d, 0) ** 3 / 6)


def keys(d: np.ndarray, a: float = -0.5) -> np.ndarray:
    """The Keys kernel at distances d; ``a`` is its slope at a distance of one."""
    near = ((a + 2) * d - (a + 3)) * d**2 + 1
    far = ((a * d - 5 * a) * d + 8 * a) * d - 4 * a
    return np.where(d <= 1, near, np.where(d <= 2, far, 0.0))


def _keys75(d: np.ndarray) -> np.ndarray:
    return keys(d, -0.75)


def _lanczos(lobes: int) -> Kernel:
    """The windowed sinc of this many lobes to either side."""

    def weigh(d: np.ndarray) -> np.ndarray:
        return np.where(d < lobes, np.sinc(d) * np.sinc(d / lobes), 0.0)

    return Kernel(2 * lobes, weigh)


KERNELS: Mapping[Kind, Kernel] = {
    "nearest": Kernel(1, np.ones_like),
    "linear": Kernel(2, lambda d: np.maximum(1 - d, 0)),
    "cubic": Kernel(4, b_spline),
    "keys": Kernel(4, keys, repeats_ends=True),
    "keys75": Kernel(4, _keys75, repeats_ends=True),
    "lanczos2": _lanczos(2),
    "lanczos3": _lanczos(3),
    "lanczos4": _lanczos(4),
}
KINDS: tuple[Kind, ...] = tuple(KERNELS)
