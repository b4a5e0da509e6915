"""Which thin slices a score is taken over, and the error by phase: by distance to a thick slice.

Slices at the ends are dropped, where a method has too few thick neighbours. A slice that the
method was shown is dropped too, but only where the thick slices *are* thin slices: sparse
sampling, with the same thickness and pixels at the same places. Keeping them would add
10 log10(R / (R - 1)) dB to a method that passes them through, 1.25 dB at R = 4.
"""

import math

import numpy as np

from thinslice.errors import UnusableCaseError
from thinslice.metrics.errors import squared_errors
from thinslice.volume import SAME_PLACE_MM, Grid

FUZZ = 1e-6  # of an increment: rounding of positions must not move a slice over a limit


def border_slices(thin: Grid, thick: Grid) -> int:
    """Slices dropped at each end: one thick increment or thickness, whichever is longer."""
    longer_mm = max(thick.increment_mm, thick.thickness_mm)
    return math.ceil(longer_mm / thin.increment_mm - FUZZ)


def observed(thin: Grid, thick: Grid) -> np.ndarray:
    """Boolean [n_thin]: slices that the thick volume holds as they are, with the same pixels."""
    as_thick = abs(thick.thickness_mm - thin.thickness_mm) <= SAME_PLACE_MM
    if not as_thick or thick.shape != thin.shape:
        return np.zeros(thin.n, bool)
    return coincident(thin, thick)


def inner_slices(thin: Grid, thick: Grid) -> slice:
    """The run of slices between the dropped ends; ValueError where none is left."""
    border = border_slices(thin, thick)
    if thin.n <= 2 * border:
        raise UnusableCaseError(
            f"{thin.n} thin slices, {border} of them dropped at each end, leave none to score "
            f"(thick increment {thick.increment_mm:g} mm, thickness {thick.thickness_mm:g} mm, "
            f"thin increment {thin.increment_mm:g} mm): score a longer scan"
        )
    return slice(border, thin.n - border)


def phases(thin: Grid, thick: Grid) -> np.ndarray:
    """Thin increments [n_thin] to the nearest thick centre, rounded; a half goes down."""
    distance_mm = distance_to_nearest(thin.centres_mm(), centres_seen_from(thick, thin))
    return np.ceil(distance_mm / thin.increment_mm - 0.5 - FUZZ).astype(int)


def rmse_by_phase(
    restored: np.ndarray, thin: np.ndarray, mask: np.ndarray, phase: np.ndarray
) -> dict[int, tuple[float, int]]:
    """Phase -> (RMSE, voxels), for every phase [Z] with voxels in the mask [Z, Y, X], ascending."""
    sums, counts = squared_errors(restored, thin, mask)
    by_phase = {}
    for p in np.unique(phase):
        n = int(counts[phase == p].sum())
        if n:
            by_phase[int(p)] = (float(np.sqrt(sums[phase == p].sum() / n)), n)
    return by_phase


def centres_seen_from(grid: Grid, frame: Grid) -> np.ndarray:
    """Slice centres [n] of ``grid``, mm along the normal of ``frame`` from its origin.

    Raises ValueError where the normals differ.
    """
    theirs, ours = np.array(grid.direction[0]), np.array(frame.direction[0])
    if np.abs(theirs - ours).max() > 1e-4:
        raise ValueError(f"slice normals differ: {grid.direction[0]} and {frame.direction[0]}")
    shift = (np.array(grid.origin_mm) - np.array(frame.origin_mm)) @ ours
    return grid.centres_mm() + float(shift)


def distance_to_nearest(points_mm: np.ndarray, centres_mm: np.ndarray) -> np.ndarray:
    """Distance [P] of each point to the nearest centre, mm."""
    return np.abs(points_mm[:, None] - centres_mm[None, :]).min(axis=1)


def coincident(thin: Grid, thick: Grid) -> np.ndarray:
    """Boolean [n_thin]: slices of ``thin`` at the place of a slice of ``thick``, within 1e-4 mm."""
    return distance_to_nearest(thin.centres_mm(), centres_seen_from(thick, thin)) <= SAME_PLACE_MM
