"""Where the slices of one scan are, seen from another.

Thin and thick are often two reconstructions with origins of their own. Slice positions are
compared along the thin normal, from the thin origin, and never from slice numbers.
"""

import numpy as np

from thinslice.volume import SAME_PLACE_MM, Grid

FUZZ = 1e-6  # of an increment: rounding of positions must not move a slice over a limit


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
