"""Tell label maps from scans by their values: few whole numbers, and neighbours that are equal.

A mask or a segmentation holds a number for each structure. A scan has noise: inside the patient
two neighbouring voxels are seldom equal. Values below zero are HU, never labels.
"""

from pathlib import Path

import numpy as np

from thinslice.errors import refused

MOST_LABELS = 256  # whole-body segmentations have about 120
LARGEST = 65535.0
ALIKE = 0.95  # share of equal neighbours, where neither is 0; of a scan well below a half
ROWS = 32  # of pixels looked at in each slice
ADVICE = "a mask is not a scan, nor is a segmentation: name the scan itself"


def refuse_labels(path: Path, voxels_ZYX: np.ndarray) -> None:
    """Refuse values that are labels of structures, not measurements."""
    low, high = float(voxels_ZYX.min()), float(voxels_ZYX.max())
    if low < 0 or not 0 < high <= LARGEST:
        return
    step = max(1, voxels_ZYX.shape[1] // ROWS)
    some = voxels_ZYX[:, ::step]
    values = np.unique(some)
    if len(values) > MOST_LABELS or (values != np.rint(values)).any():
        return
    if len(values) == 1:  # a water phantom without noise, which has no structures
        return
    here, beside = some[..., 1:], some[..., :-1]
    inside = (here != 0) & (beside != 0)
    if not inside.any() or (here == beside)[inside].mean() < ALIKE:
        return
    found = f"{len(values)} whole numbers from {low:g} to {high:g}, equal in neighbours: labels"
    raise refused(path, found, "a scan", ADVICE)
