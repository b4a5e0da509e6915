"""Planes of a scan as a reader looks at them, and what of them can be compared.

Head is up, front is up in axial and left in sagittal images, the patient's right is on the left.
"""

import numpy as np

from thinslice.interfaces import Scan
from thinslice.volume import Grid, Modality

NORMAL = {"axial": 0, "coronal": 1, "sagittal": 2}  # array axis across the plane
BODY_HU, SOME_BODY = -500.0, 0.05  # a plane with less of the body is not shown
LUNG_HU, SOME_LUNG = (-930.0, -500.0), 0.1
WINDOWS = {  # HU shown black and white, by the key that chooses each
    "lung": (-1350.0, 150.0),
    "soft": (-160.0, 240.0),
    "bone": (-550.0, 1450.0),
    "brain": (0.0, 80.0),
    "wide": (-1024.0, 2048.0),
}
LEVELS = 4095  # an MR pair is shown from 0 to here


def cut(scan: Scan, plane: str, index: int) -> np.ndarray:
    """One plane, float32 [rows, columns], as a reader looks at it."""
    axis = NORMAL[plane]
    block = [slice(None)] * 3
    block[axis] = slice(index, index + 1)
    image = np.asarray(scan.read(*block)).squeeze(axis)
    for across, flipped in enumerate(_flipped(scan.grid, axis)):
        image = np.flip(image, across) if flipped else image
    return image


def pixel_mm(grid: Grid, plane: str) -> tuple[float, float]:
    """Pitch of the rows and of the columns of a plane."""
    steps = [grid.increment_mm, *grid.pixel_mm]
    del steps[NORMAL[plane]]
    return steps[0], steps[1]


def positions(grid: Grid, plane: str) -> int:
    """How many planes there are."""
    return grid.zyx[NORMAL[plane]]


def shows_body(image: np.ndarray, modality: Modality) -> bool:
    """Whether there is enough to look at: body of a CT, anything but one value of an MR."""
    if modality == "CT":
        return bool(np.mean(image > BODY_HU) >= SOME_BODY)
    return bool(np.ptp(image) > 0)


def first_window(images: np.ndarray) -> str:
    """The window that a CT pair is shown in first, the same whichever side is which."""
    hu = images[images > LUNG_HU[0]]
    return "lung" if hu.size and np.mean(hu < LUNG_HU[1]) > SOME_LUNG else "soft"


def to_levels(images: np.ndarray, modality: Modality) -> np.ndarray:
    """The images of a pair [n, rows, columns] as int16: HU, or MR on one scale for all of them."""
    if modality == "CT":
        return np.rint(np.clip(images, -2048, 8191)).astype("<i2")
    low, high = float(images.min()), float(images.max())
    return np.rint((images - low) / max(high - low, 1e-6) * LEVELS).astype("<i2")


def mr_window(levels: np.ndarray) -> tuple[float, float]:
    """What is black and white of an MR pair: 1 and 99 % of all its images."""
    low, high = np.percentile(levels, (1, 99))
    return float(round(low)), float(max(round(high), round(low) + 1))


def _flipped(grid: Grid, axis: int) -> list[bool]:
    """For rows and columns of a plane: whether they run against what a reader expects."""
    out = []
    for each in range(3):
        if each == axis:
            continue
        along = np.array(grid.direction[each])
        lps = int(np.abs(along).argmax())
        towards_head = lps == 2
        out.append(bool(along[lps] > 0) if towards_head else bool(along[lps] < 0))
    return out
