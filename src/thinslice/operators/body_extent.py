"""Extent of the body in a scan: where a method is worth running, generous by intent.

All that is brighter than air on some slice, with what it encloses, and a margin around it. An
opening of 3 mm takes away noise and the shells of a table, which enclose nothing. Unlike
``metrics.body_mask`` it takes every part, such as both legs, and what lies in between counts.
"""

import cv2
import numpy as np

from thinslice.volume import Volume

AIR_HU = -400.0
OPENING_MM = 3.0  # radius
MARGIN_MM = 4.0


def body_columns(thick: Volume) -> np.ndarray:
    """Boolean [Y, X], true where a column along z passes through the body or its margin.

    True everywhere in MR, whose air has no value, and in a scan without a body.
    """
    everywhere = np.ones(thick.grid.shape, bool)
    if thick.modality != "CT":
        return everywhere
    disk, margin = (_disk(mm, thick.grid.pixel_mm) for mm in (OPENING_MM, MARGIN_MM))
    seen = np.zeros(thick.grid.shape, bool)
    for values in thick.voxels:
        seen |= np.asarray(cv2.morphologyEx(_filled(values > AIR_HU), cv2.MORPH_OPEN, disk)) > 0
    if not seen.any():
        return everywhere
    return np.asarray(cv2.dilate(seen.view(np.uint8), margin)) > 0


def extents(mask: np.ndarray) -> list[slice]:
    """From the first to the last true entry of every row; empty where there is none."""
    n = mask.shape[1]
    some = mask.any(axis=1)
    first = np.where(some, mask.argmax(axis=1), 0)
    end = np.where(some, n - mask[:, ::-1].argmax(axis=1), 0)
    return [slice(int(a), int(b)) for a, b in zip(first, end)]


def _filled(solid: np.ndarray) -> np.ndarray:
    """The mask [Y, X] and what the outside cannot reach, as 0 and 1."""
    outside = np.pad(solid.view(np.uint8), 1)
    cv2.floodFill(outside, None, (0, 0), 2)  # pyright: ignore[reportCallIssue, reportArgumentType]
    return (outside[1:-1, 1:-1] != 2).view(np.uint8)


def _disk(radius_mm: float, pixel_mm: tuple[float, float]) -> np.ndarray:
    y, x = (max(1, round(radius_mm / pixel)) for pixel in pixel_mm)
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * x + 1, 2 * y + 1))
