"""Padding that DICOM headers state: PixelPaddingValue, or the range to PixelPaddingRangeLimit.

Both speak of stored values, before the rescale. A number written under the other sign than the
pixels' (63536 for -2000) is the same bits and is read as the pixels are.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from pydicom.dataset import Dataset

from thinslice.errors import listed
from thinslice.io.dicom.encode import Stored
from thinslice.io.orientation import Place
from thinslice.volume import HU_INT16, Padding

if TYPE_CHECKING:
    from thinslice.io.dicom.headers import Slice


def stated_range(data: Dataset) -> tuple[int, int] | None:
    """Lowest and highest stored value that is padding; None where the header states none."""
    value, limit = (_stored(data, f"PixelPadding{word}") for word in ("Value", "RangeLimit"))
    if value is None:
        return None
    return (value, value) if limit is None else (min(value, limit), max(value, limit))


def notes_on(slices: "Sequence[Slice]") -> list[str]:
    """What headers state, in HU of a CT; how many voxels there are only the pixels tell."""
    ranges = {_rescaled(header) for header in slices if header.facts["padding"] is not None}
    if not ranges:
        return []
    ends = [f"{low:g}" if low == high else f"{low:g} to {high:g}" for low, high in sorted(ranges)]
    return [f"states padding: {listed(ends)} (PixelPaddingValue); it takes part in nothing"]


def stated_padding(
    placed: Place, voxels: np.ndarray, slices: "Sequence[Slice]"
) -> np.ndarray | None:
    """Where the headers of a series state padding, boolean [Z, Y, X]; None where none does."""
    if all(header.facts["padding"] is None for header in slices):
        return None
    out = np.zeros(voxels.shape, bool)
    fill_stated(placed.file_view(out), placed.file_view(voxels), slices)
    return out


def fill_stated(target: np.ndarray, images: np.ndarray, slices: "Sequence[Slice]") -> None:
    """Write where the headers state padding into ``target``, boolean [slice, row, column].

    images   rescaled values, [slice, row, column]
    """
    for mask, image, header in zip(target, images, slices):
        if header.facts["padding"] is not None:
            low, high = _rescaled(header)
            half = abs((header.rescale or (1.0, 0.0))[0]) / 2  # one step away is another value
            mask[...] = (image > low - half) & (image < high + half)


def write_tags(data: Dataset, padding: Padding, pixels: Stored) -> None:
    """State the padding of a written series: one value, or a range that holds nothing else."""
    ranked = sorted(padding.counts().items(), key=lambda each: -each[1])
    lowest = HU_INT16[0]
    numbers = [round((max(v, lowest) - pixels.intercept) / pixels.slope) for v, _ in ranked]
    low, high = min(numbers), max(numbers)
    measured = pixels.pixels[~padding.mask]
    if low == high or ((measured >= low) & (measured <= high)).any():
        data.PixelPaddingValue = numbers[0]
    else:
        data.PixelPaddingValue, data.PixelPaddingRangeLimit = low, high


def _rescaled(header: "Slice") -> tuple[float, float]:
    """The stated range, ascending, in the unit of the voxels."""
    slope, intercept = header.rescale or (1.0, 0.0)
    low, high = sorted(slope * stored + intercept for stored in header.facts["padding"])
    return low, high


def _stored(data: Dataset, keyword: str) -> int | None:
    try:
        value = int(data.get(keyword, ""))
    except (ValueError, TypeError):
        return None
    bits, signed = int(data.get("BitsAllocated") or 16), data.get("PixelRepresentation") == 1
    value %= 1 << bits
    return value - (1 << bits) if signed and value >> (bits - 1) else value
