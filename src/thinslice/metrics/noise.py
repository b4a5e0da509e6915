"""Noise of a scan in its own unit: the standard deviation where tissue is flat.

In every window of about 6 mm the standard deviation about a plane is taken. It is noise alone where
the anatomy is flat, and flatness is judged without looking at the noise: by the range that the
slice has in the window after a blur which takes most of a scanner's noise away. The flattest
windows of soft tissue answer. So noise that a soft kernel has correlated over pixels counts in
full, as long as it is much finer than a window. After Christianson et al. (AJR 2015; 205:W93), who
take the mode of the local standard deviations of soft tissue; small scans have too few flat places
for a mode.
"""

from typing import NamedTuple

import numpy as np
from scipy import ndimage

from thinslice.interfaces import Scan
from thinslice.volume import Volume, window_of

SLICES = 12  # of a scan, spread over its middle three quarters
SMALL_MM, LARGE_MM, LEAST_PIXELS = 6.0, 12.0, 5  # sides of windows
BLUR_MM = 1.5  # sigma of the blur that leaves the anatomy
FLATTEST = 0.02  # share of the windows that answer
EVEN = 4.0  # all tissue is flat where the median spread is below so many times the flattest: then
# all larger windows answer, since choosing among them would choose those with little noise
QUANTILE = 0.4  # of their deviations: below the median, as some still hold a little anatomy
SOFT_HU, BODY_HU = (-150.0, 200.0), (-900.0, 3000.0)  # mean of a window; the second where no soft
LEAST_WINDOWS = 200
BODY_SHARE = 0.1  # of an MR scan's window: darker is air


class _Windows(NamedTuple):
    """Of every window whose centre lies in a slice: flat arrays of one length."""

    mean: np.ndarray
    deviation: np.ndarray
    spread: np.ndarray  # of the blurred slice: what the anatomy does there

    def between(self, low: float, high: float) -> "_Windows":
        """Those with a mean between two values."""
        return self._of((self.mean > low) & (self.mean < high))

    def flat(self, spread: float) -> "_Windows":
        """Those with at most that spread."""
        return self._of(self.spread <= spread)

    def _of(self, which: np.ndarray) -> "_Windows":
        return _Windows(*(values[which] for values in self))


def noise(scan: Scan) -> float | None:
    """Standard deviation of the noise, in HU for CT; None where there is no tissue to measure it.

    Windows that touch padding are left out.
    """
    small, large = (_all_windows(scan, mm) for mm in (SMALL_MM, LARGE_MM))
    if small is None:
        return None
    for low, high in _tissues(scan):
        some = small.between(low, high)
        if len(some.mean) < LEAST_WINDOWS:
            continue
        spread = float(np.quantile(some.spread, FLATTEST))
        wide = large.between(low, high) if large is not None else some
        if wide.mean.size and np.median(wide.spread) < EVEN * spread:
            return float(np.median(wide.deviation))
        return float(np.quantile(some.flat(spread).deviation, QUANTILE))
    return None


def _all_windows(scan: Scan, size_mm: float) -> _Windows | None:
    """The windows of that size on the scan's middle slices; None where slices are smaller."""
    side = tuple(max(LEAST_PIXELS, round(size_mm / mm) | 1) for mm in scan.grid.pixel_mm)
    if any(size < pixels for size, pixels in zip(scan.grid.shape, side)):
        return None
    parts = [_windows(scan, int(k), side) for k in _middle(scan.grid.n)]
    return _Windows(*(np.concatenate(part) for part in zip(*parts)))


def _middle(n: int) -> np.ndarray:
    """Slices that are looked at."""
    return np.unique(np.linspace(n // 8, n - 1 - n // 8, SLICES).astype(int))


def _tissues(scan: Scan) -> list[tuple[float, float]]:
    """Ranges of values that are tissue, the best first."""
    if scan.modality == "CT":
        return [SOFT_HU, BODY_HU]
    window = window_of(Volume(scan.read(), scan.grid, scan.modality, scan.padding))
    return [(float(window.from_unit(BODY_SHARE)), np.inf)]


def _windows(scan: Scan, k: int, side: tuple[int, ...]) -> _Windows:
    """The windows of one slice that lie on it and touch no padding."""
    z = slice(k, k + 1)
    slice_YX, padded = np.array(scan.read(z)[0], float), scan.padded(z)
    if padded is not None:
        slice_YX[padded[0]] = 0  # sums that run over a whole slice would round by what is there
    blurred_YX = ndimage.gaussian_filter(slice_YX, [BLUR_MM / mm for mm in scan.grid.pixel_mm])
    spread_YX = ndimage.maximum_filter(blurred_YX, side) - ndimage.minimum_filter(blurred_YX, side)
    whole_YX = np.zeros(slice_YX.shape, bool)
    whole_YX[tuple(slice(half, size - half) for half, size in zip(_half(side), whole_YX.shape))] = 1
    if padded is not None:
        reach = [2 * (half + int(4 * BLUR_MM / mm + 0.5)) + 1
                 for half, mm in zip(_half(side), scan.grid.pixel_mm)]  # fmt: skip
        whole_YX &= ndimage.maximum_filter(padded[0], reach) == 0
    mean_YX, deviation_YX = _about_planes(slice_YX, side)
    return _Windows(mean_YX[whole_YX], deviation_YX[whole_YX], spread_YX[whole_YX])


def _about_planes(slice_YX: np.ndarray, side: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Mean of the window around every pixel, and the standard deviation about its plane."""
    mean_YX, square_YX = (_means(part, side) for part in (slice_YX, slice_YX**2))
    square_YX -= mean_YX**2
    for axis, n in enumerate(side):
        ramp = np.arange(n) - (n - 1) / 2
        along = ndimage.uniform_filter1d(slice_YX, side[1 - axis], axis=1 - axis)
        slope = ndimage.correlate1d(along, ramp / (ramp @ ramp), axis=axis)
        square_YX -= slope**2 * (ramp @ ramp) / n
    n = int(np.prod(side))
    return mean_YX, np.sqrt(np.maximum(square_YX, 0) * n / (n - 3))


def _means(slice_YX: np.ndarray, side: tuple[int, ...]) -> np.ndarray:
    for axis, n in enumerate(side):
        slice_YX = ndimage.uniform_filter1d(slice_YX, n, axis=axis)
    return slice_YX


def _half(side: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(n // 2 for n in side)
