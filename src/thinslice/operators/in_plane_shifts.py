"""Shift slices in their own planes: what gantry tilt does from one slice to the next.

A shift by whole pixels copies them. What is left is interpolated by a spline of fifth degree, whose
response is flat to nine tenths of the Nyquist frequency (Unser 1999), so that noise and edges stay.
"""

from dataclasses import replace

import numpy as np
from scipy.ndimage import shift

from thinslice.volume import Grid

DEGREE = 5
WHOLE = 1e-4  # pixels: rounding of positions


def common_grid(frame: Grid, shifts_mm: np.ndarray) -> tuple[Grid, np.ndarray]:
    """A grid whose pixels cover all shifted slices, and the shift of each on it, in pixels.

    frame       pixels, axes and corner of the slice whose shift is zero
    shifts_mm   [n, 2] (y, x) of every slice's corner

    The shifts [n, 2] are not negative: slice k covers pixels shift to shift + size - 1.
    """
    pixels = np.asarray(shifts_mm, float) / np.array(frame.pixel_mm)
    lowest = np.floor(pixels.min(0) + WHOLE)
    beyond = np.ceil(pixels.max(0) - lowest - WHOLE)
    _, y, x = np.array(frame.direction, float)
    dy_mm, dx_mm = lowest * frame.pixel_mm
    corner = np.array(frame.origin_mm) + y * dy_mm + x * dx_mm
    shape = (frame.shape[0] + int(beyond[0]), frame.shape[1] + int(beyond[1]))
    origin_mm = (float(corner[0]), float(corner[1]), float(corner[2]))
    return replace(frame, shape=shape, origin_mm=origin_mm), pixels - lowest


def onto_common(slices: np.ndarray, shifts: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Slices [n, Y, X] on the common grid, float32 [n, *shape]; NaN where a slice is not.

    A pixel between a slice's outermost one and the next beyond it has the outermost value.
    """
    out = np.full((len(slices), *shape), np.nan, np.float32)
    for k, (image, by) in enumerate(zip(slices, shifts)):
        whole, part = _split(by)
        if part.any():
            longer = np.pad(image, [(0, int(p > 0)) for p in part], mode="edge")
            image = shift(longer, part, order=DEGREE, mode="nearest")
        rows, columns = (slice(at, at + n) for at, n in zip(whole, image.shape))
        out[k, rows, columns] = image
    return out


def measured(shifts: np.ndarray, size: tuple[int, int], shape: tuple[int, int]) -> np.ndarray:
    """Pixels of the common grid between those of each slice, of ``size``; boolean [n, *shape]."""
    out = np.zeros((len(shifts), *shape), bool)
    for inside, by in zip(out, shifts):
        whole, part = _split(by)
        first = whole + (part > 0)
        inside[first[0] : whole[0] + size[0], first[1] : whole[1] + size[1]] = True
    return out


def from_common(common: np.ndarray, shifts: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Slices float32 [n, *shape] as acquired, of slices [n, Y, X] on the common grid."""
    out = np.empty((len(common), *shape), np.float32)
    for k, (image, by) in enumerate(zip(common, shifts)):
        (y, x), part = _split(by)
        moved = shift(image, -part, order=DEGREE, mode="nearest") if part.any() else image
        out[k] = moved[y : y + shape[0], x : x + shape[1]]
    return out


def _split(by: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Whole pixels of a shift, and the part of one that is left, 0 to 1."""
    near = np.rint(by)
    by = np.where(np.abs(by - near) < WHOLE, near, by)
    whole = np.floor(by)
    return whole.astype(int), by - whole
