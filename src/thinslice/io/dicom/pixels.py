"""Rescale the stored values of DICOM slices: HU = stored value x RescaleSlope + RescaleIntercept.

Each slice, and each frame of an enhanced object, by its own rescale (PS3.3 C.11.1). Plain pixels
have no checksum: a file cut short is refused, a byte flipped inside an image is not noticed.
"""

import functools
from collections.abc import Sequence

import numpy as np

from thinslice.errors import refused
from thinslice.io.dicom.headers import Slice
from thinslice.io.dicom.stored_values import stored_values

MOST = 1 << 24  # beyond it float32 skips whole numbers


def fill(target: np.ndarray, slices: Sequence[Slice]) -> None:
    """Rescaled values of every slice into ``target`` [slice, row, column]; Refused if broken."""
    frames = functools.lru_cache(maxsize=1)(stored_values)  # an enhanced object is decoded once
    for k, header in enumerate(slices):
        images = frames(header.path)
        index = header.frame or 0
        if index >= len(images) or images.shape[1:] != header.shape:
            found = f"decoded pixels of shape {images.shape}"
            expected = f"image {index} of {header.shape[0]} rows x {header.shape[1]} columns"
            raise refused(header.path, found, expected, "export it again")
        slope, intercept = header.rescale or (1.0, 0.0)
        target[k] = _exactly(header, images[index] * slope + intercept)


def _exactly(header: Slice, values: np.ndarray) -> np.ndarray:
    """The values; refused if they are no numbers or more than float32 tells apart."""
    bad = values.size - int(np.isfinite(values).sum())
    if bad:
        found = f"{bad} voxels that are not finite"
        raise refused(header.path, found, "HU", "export it again")
    if np.abs(values).max() > MOST:
        found = f"values {values.min():g} to {values.max():g}"
        raise refused(header.path, found, f"none beyond {MOST}", "export it with fewer bits")
    return values
