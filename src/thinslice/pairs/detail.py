"""Noise and fine edges of acquired thick slices against those predicted from the thin ones.

One acquisition's noise is in both reconstructions; that of two acquisitions is independent, however
alike they look. A kernel shows on edges, where noise is small: the finest detail of the acquired
slices is regressed on that of the predicted ones.
"""

from typing import NamedTuple

import numpy as np
from scipy import ndimage

BLUR_MM = 1.5  # sigma of the blur that leaves the anatomy
WINDOW_MM = 6.0
FLATTEST = 0.03  # share of the tissue whose anatomy is flattest: what is fine there is noise
STEEPEST = 0.1  # share of the body where edges are
SOFT_HU, BODY_HU = (-150.0, 200.0), (-900.0, 3000.0)
LEAST_SHARE = 0.02  # of all pixels: less soft tissue, and all of the body counts
LEAST_PIXELS = 300
ROUNDING_HU = 0.4  # noise that whole HU hide


class Detail(NamedTuple):
    """None where it cannot be measured: no flat tissue, or no noise beyond rounding."""

    shared_noise: float | None  # correlation
    edge_gain: float | None


def detail(
    predicted_KYX: np.ndarray, acquired_KYX: np.ndarray, valid_KYX: np.ndarray, pixel_mm: float
) -> Detail:
    """Of predicted and acquired slices, in HU, where ``valid_KYX``."""
    blurred = _gaussian(acquired_KYX, BLUR_MM / pixel_mm)
    bands = [_bands(v) for v in (predicted_KYX, acquired_KYX)]
    soft = _between(blurred, SOFT_HU) & valid_KYX
    body = _between(blurred, BODY_HU) & valid_KYX
    tissue = soft if soft.mean() > LEAST_SHARE else body
    if np.count_nonzero(tissue) < LEAST_PIXELS / FLATTEST:
        return Detail(None, None)
    side = (1, *2 * (max(3, round(WINDOW_MM / pixel_mm) | 1),))
    spread = ndimage.maximum_filter(blurred, side) - ndimage.minimum_filter(blurred, side)
    flat = tissue & (spread <= np.quantile(spread[tissue], FLATTEST))
    steep = body & (spread >= np.quantile(spread[body], 1 - STEEPEST))
    shared = [_correlation(a[flat], b[flat]) for a, b in zip(*bands, strict=True)]
    known = [value for value in shared if value is not None]
    fine_a, fine_b = bands[0][0][steep], bands[1][0][steep]
    power = float(fine_a @ fine_a)
    return Detail(max(known, default=None), float(fine_a @ fine_b) / power if power > 0 else None)


def _correlation(a: np.ndarray, b: np.ndarray) -> float | None:
    if min(a.std(), b.std()) < ROUNDING_HU:
        return None
    return float(np.corrcoef(a, b)[0, 1])


def _bands(voxels_KYX: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The finest detail in each slice, and that of twice the size."""
    once, twice = (_gaussian(voxels_KYX, sigma) for sigma in (1.0, 2.0))
    return voxels_KYX - once, once - twice


def _gaussian(voxels_KYX: np.ndarray, sigma: float) -> np.ndarray:
    return ndimage.gaussian_filter(voxels_KYX, (0, sigma, sigma))


def _between(voxels: np.ndarray, limits: tuple[float, float]) -> np.ndarray:
    return (voxels > limits[0]) & (voxels < limits[1])
