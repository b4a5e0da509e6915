"""Error by phase: how far a thin slice is from the nearest thick one.

A method that copies thick slices is good at phase 0 and poor in between; a mean hides that.
"""

import numpy as np

from thinslice.metrics.positions import FUZZ, centres_seen_from, distance_to_nearest
from thinslice.metrics.rmse import squared_errors
from thinslice.volume import Grid


def phases(thin: Grid, thick: Grid) -> np.ndarray:
    """Thin increments [n_thin] to the nearest thick centre, rounded; a half goes down."""
    distance_mm = distance_to_nearest(thin.centres_mm(), centres_seen_from(thick, thin))
    return np.ceil(distance_mm / thin.increment_mm - 0.5 - FUZZ).astype(int)


def rmse_by_phase(
    restored: np.ndarray, thin: np.ndarray, mask: np.ndarray, phase: np.ndarray
) -> dict[int, tuple[float, int]]:
    """Phase -> (RMSE, voxels), for every phase [Z] with voxels in the mask [Z, Y, X], ascending."""
    sums, counts = squared_errors(restored, thin, mask)
    found = {}
    for p in np.unique(phase):
        n = int(counts[phase == p].sum())
        if n:
            found[int(p)] = (float(np.sqrt(sums[phase == p].sum() / n)), n)
    return found
