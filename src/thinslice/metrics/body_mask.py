"""Which voxels are the patient: air around the body is easy, and scoring it flatters everyone.

Thin voxels above a threshold, opened (which takes away the table's sheets and the noise), holes
filled (lungs, bowel), largest component. Opening and filling are done slice by slice: lungs
cut by the last slice of a scan are holes of a slice, but not of the volume. Air that touches the
image's edge is outside: in a scan cropped so tightly that lungs meet the edge, lungs do not count.
"""

import hashlib

import cv2
import numpy as np

from thinslice.metrics.largest_component import largest_component

AIR_HU = -400.0
OPENING_MM = 1.0  # radius; takes a table's shells, spares thin chest walls


def body_mask(
    thin: np.ndarray,
    pixel_mm: tuple[float, float],
    above: float = AIR_HU,
    padded: np.ndarray | None = None,
) -> np.ndarray:
    """Boolean [Z, Y, X], true inside the body; ``pixel_mm`` is (y, x). All false if none is found.

    ``above`` is in the voxels' unit. There is no body where the boolean ``padded`` is true.
    """
    radii = [max(1, round(OPENING_MM / pixel)) for pixel in pixel_mm]
    disk = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radii[1] + 1, 2 * radii[0] + 1))
    filled = np.empty(thin.shape, bool)
    for k, values in enumerate(thin):
        solid = values > above if padded is None else (values > above) & ~padded[k]
        filled[k] = _fill_holes(cv2.morphologyEx(solid.view(np.uint8), cv2.MORPH_OPEN, disk))
    if padded is not None:
        filled &= ~padded
    return largest_component(filled)


def _fill_holes(solid: np.ndarray) -> np.ndarray:
    """What the outside, coming in over the slice's border, cannot reach; [Y, X] of 0 and 1."""
    padded = np.pad(solid, 1)
    cv2.floodFill(padded, None, (0, 0), 2)  # pyright: ignore[reportCallIssue, reportArgumentType]
    return padded[1:-1, 1:-1] != 2


def mask_digest(mask: np.ndarray) -> str:
    """SHA-256 of a mask's shape and bits, so that two people can tell they scored one body."""
    digest = hashlib.sha256(repr(mask.shape).encode())
    digest.update(np.packbits(mask).tobytes())
    return digest.hexdigest()
