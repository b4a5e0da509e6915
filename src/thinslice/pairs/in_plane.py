"""Shift and magnification of thick images against the thin ones, in pixels, below one pixel.

Phase correlation of the four quadrants: their mean is the shift, what they differ by along an axis
is the magnification. The thin slices are averaged over each thick one first.
"""

from typing import NamedTuple

import numpy as np

COARSE = 0.25  # cycles per pixel: finer detail is left out, as kernels differ there
PEAK = 0.08  # of a quadrant's correlation, below which it shows no common structure


class Shift(NamedTuple):
    """Of the thick images against the thin ones."""

    y_px: float
    x_px: float
    magnified: float  # 1: the same size


def shift_of(seen_KYX: np.ndarray, acquired_KYX: np.ndarray) -> Shift | None:
    """The shift that takes the first images to the second; None where they have too little in
    common to tell."""
    halves = [(slice(0, n // 2), slice(n - n // 2, n)) for n in seen_KYX.shape[1:]]
    moved = np.full((2, 2, 2), np.nan)  # [lower or upper y, lower or upper x, (y, x)]
    for j, rows in enumerate(halves[0]):
        for i, columns in enumerate(halves[1]):
            peak = _peak(seen_KYX[:, rows, columns], acquired_KYX[:, rows, columns])
            moved[j, i] = np.nan if peak is None else peak
    if np.isnan(moved).any():
        return None
    far_y, far_x = (n - n // 2 for n in seen_KYX.shape[1:])  # between centres of quadrants
    grown_y = (moved[1, :, 0] - moved[0, :, 0]).mean() / far_y
    grown_x = (moved[:, 1, 1] - moved[:, 0, 1]).mean() / far_x
    y, x = moved.mean(axis=(0, 1))
    return Shift(float(y), float(x), float(1 + (grown_y + grown_x) / 2))


def _peak(a_KYX: np.ndarray, b_KYX: np.ndarray) -> tuple[float, float] | None:
    """The shift (y, x) of b against a at the peak of their phase correlation."""
    size = a_KYX.shape[1:]
    taper = np.outer(*(np.hanning(n + 2)[1:-1] for n in size))
    a, b = (np.fft.rfft2((v - v.mean(axis=(1, 2), keepdims=True)) * taper) for v in (a_KYX, b_KYX))
    cross = (b * a.conj()).sum(axis=0)
    f = np.hypot(np.fft.fftfreq(size[0])[:, None], np.fft.rfftfreq(size[1])[None])
    weight = np.exp(-((f / COARSE) ** 2) * 2)
    power = np.abs(cross)
    whole = np.fft.irfft2(np.where(power > 0, cross / np.maximum(power, 1e-12), 0) * weight, s=size)
    height = whole.max() / np.fft.irfft2(weight, s=size).max()
    if not height > PEAK:
        return None
    y, x = np.unravel_index(int(whole.argmax()), size)
    return _fine(whole[:, x], int(y)), _fine(whole[y], int(x))


def _fine(line: np.ndarray, k: int) -> float:
    """The top of the parabola through a circular line's largest value and its neighbours."""
    n = len(line)
    a, b, c = line[(k - 1) % n], line[k], line[(k + 1) % n]
    bend = a - 2 * b + c
    at = k + (0.5 * (a - c) / bend if bend < 0 else 0.0)
    return float(at - n if at > n / 2 else at)
