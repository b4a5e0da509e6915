"""Encode voxels as the integers that a DICOM image stores, with their rescale.

Images are signed 16 bits. CT is stored with slope 1, so whole HU come back exactly; the intercept
is the source's own where all values fit with it, else 0, with which every HU of 16 bits fits, else
one that suits the lowest value (cone-beam CT goes beyond 32767). A span above 65535 is stored in
65535 steps. MR is stored in the source's own steps, or as it is where all values are whole numbers,
else in 65535 steps from its lowest to its highest value.
"""

from typing import NamedTuple

import numpy as np

from thinslice.errors import Refused
from thinslice.volume import HU_INT16, Modality, Volume, to_int16

Rescale = tuple[float, float]  # slope, intercept
PLAIN: Rescale = (1.0, 0.0)
STEPS = HU_INT16[1] - HU_INT16[0]


class Stored(NamedTuple):
    """Pixels int16 [Z, Y, X] such that value = slope * pixel + intercept."""

    pixels: np.ndarray
    slope: float
    intercept: float


def stored(volume: Volume, like: Rescale | None = None) -> Stored:
    """The pixels of a volume; raises ValueError for NaN.

    like    slope and intercept of the source, where it has one for all its slices

    Padding has the number that it had in the scan, or -32768 where that is lower.
    """
    voxels = volume.as_in_file(HU_INT16[0])
    if not np.isfinite(voxels.sum(dtype=np.float64)):
        bad = voxels.size - int(np.isfinite(voxels).sum())
        raise Refused(f"{bad} voxels are not finite numbers")
    span = float(voxels.min()), float(voxels.max())
    slope, intercept = _rescale(volume.modality, voxels, span, like)
    pixels = np.empty(volume.grid.zyx, np.int16)
    for k, plane in enumerate(voxels):  # slice by slice: no second volume in memory
        pixels[k] = to_int16((plane.astype(np.float64) - intercept) / slope)
    return Stored(pixels, slope, intercept)


def _rescale(
    modality: Modality, voxels: np.ndarray, span: tuple[float, float], like: Rescale | None
) -> Rescale:
    if modality == "CT":
        offered = like is not None and like[0] == 1 and like[1].is_integer()
        if like and offered and _fits(span, like):
            return like
        return PLAIN if _fits(span, PLAIN) else _around(span)
    if like is not None and like[0] > 0 and _fits(span, like):
        return like
    if _fits(span, PLAIN) and all((plane == np.rint(plane)).all() for plane in voxels):
        return PLAIN
    return _spread(span)


def _around(span: tuple[float, float]) -> Rescale:
    """Whole HU around the middle of a span that fits 16 bits; a wider one in equal steps."""
    low, high = np.rint(span)
    return (1.0, float(low) - HU_INT16[0]) if high - low <= STEPS else _spread(span)


def _fits(span: tuple[float, float], rescale: Rescale) -> bool:
    low, high = (round((value - rescale[1]) / rescale[0]) for value in span)
    return HU_INT16[0] <= low and high <= HU_INT16[1]


def _spread(span: tuple[float, float]) -> Rescale:
    """All 16 bits over the span of the values."""
    low, high = span
    slope = (high - low) / STEPS or 1.0
    return slope, low - HU_INT16[0] * slope
