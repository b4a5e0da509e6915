"""Projections of thin slices onto thick ones: sparse matrices from slice profiles or points."""

import numpy as np
from scipy.sparse import csr_array

from thinslice.errors import Refused
from thinslice.interfaces import Scan
from thinslice.operators.profiles import Profile
from thinslice.volume import Grid

NEGLIGIBLE = 1e-9  # smaller weights are left out of a matrix


def point_matrix(at_mm: np.ndarray, thin: Grid) -> csr_array:
    """Weights [n_thick, n_thin] of slices that are means of points, ``at_mm`` [n_thick, P].

    Points are linear between thin centres and extrapolated beyond them; rows sum to one.
    """
    if thin.n == 1:
        return csr_array(np.ones((len(at_mm), 1)))
    at = (np.asarray(at_mm, float) - thin.start_mm) / thin.increment_mm
    nearest = np.rint(at)
    at = np.where(np.abs(at - nearest) < NEGLIGIBLE, nearest, at)  # a point on a slice is the slice
    low = np.clip(np.floor(at).astype(int), 0, thin.n - 2)
    weights = np.zeros((len(at), thin.n))
    rows = np.arange(len(at))[:, None]
    np.add.at(weights, (rows, low), (1 - (at - low)) / at.shape[1])
    np.add.at(weights, (rows, low + 1), (at - low) / at.shape[1])
    return csr_array(weights)


def profile_matrix(profile: Profile, thin: Grid, thick: Grid) -> csr_array:
    """Weights [n_thick, n_thin] of ``thin`` slices in ``thick`` ones; rows sum to one.

    A thin slice represents the cell of one increment around its centre; its weight is the integral
    of the profile over that cell. Where cell edges cut the profile unevenly, a share of the row (at
    most half a cell) moves one slice over, so that a ramp keeps its positions to rounding. At the
    scan's ends a row is scaled to the part of the profile on the scan, and is not moved.
    Raises ValueError for grids of different frames, and for a thick slice that lies off the scan.
    """
    if thin.direction != thick.direction or thin.origin_mm != thick.origin_mm:
        raise ValueError("thin and thick grids must share origin and direction")
    z, wanted = thin.centres_mm(), thick.centres_mm()
    edges = np.append(z - thin.increment_mm / 2, z[-1] + thin.increment_mm / 2)
    weights = np.diff(profile.cdf(edges - wanted[:, None]), axis=1)
    weights[np.abs(weights) < NEGLIGIBLE] = 0.0
    seen = weights.sum(1)
    if seen.min() < 1e-3:
        lost = wanted[seen.argmin()]
        raise Refused(f"the thick slice at {lost:g} mm lies off the scan, {z[0]:g}..{z[-1]:g}")
    weights /= seen[:, None]
    slack = 1e-6 * thin.increment_mm
    whole = (wanted - profile.support_mm >= edges[0] - slack) & (
        wanted + profile.support_mm <= edges[-1] + slack
    )
    weights[whole] = _centred(weights[whole], z, wanted[whole])
    return csr_array(weights)


def _centred(weights: np.ndarray, z: np.ndarray, centres_mm: np.ndarray) -> np.ndarray:
    """Shift rows by part of a slice until their centres of mass are at ``centres_mm``."""
    if len(z) == 1:
        return weights
    move = (centres_mm - weights @ z) / (z[1] - z[0])  # in slices, within half a slice
    for sign, last in ((1, -1), (-1, 0)):
        rows = move * sign > 1e-14
        moved = np.roll(weights[rows], sign, axis=1)
        moved[:, last] += moved[:, (0, -1)[sign < 0]]  # what np.roll wrapped around stays there
        moved[:, (0, -1)[sign < 0]] = 0.0
        free = np.maximum(1 - weights[rows, last], 1e-12)
        share = np.minimum(np.abs(move[rows]) / free, 1.0)[:, None]
        weights[rows] = (1 - share) * weights[rows] + share * moved
    return weights


def apply(weights: csr_array, scan: Scan | np.ndarray, *, slab: int = 128) -> np.ndarray:
    """Thick voxels, float32 [n_thick, Y, X], of a thin scan; ``slab`` rows of y at a time.

    Every slab is read once; besides the result, one slab is in memory. As many rows as a chunk of
    the store has, so that no chunk is decoded twice.
    Raises ValueError where the matrix does not fit the scan.
    """
    shape = scan.shape if isinstance(scan, np.ndarray) else scan.grid.zyx
    n_thick, n_thin = weights.shape or (0, 0)
    if n_thin != shape[0]:
        raise ValueError(f"a matrix for {n_thin} thin slices, but the scan has {shape}")
    out = np.empty((n_thick, *shape[1:]), np.float32)
    for y in range(0, shape[1], slab):
        rows = slice(y, min(y + slab, shape[1]))
        block = scan[:, rows] if isinstance(scan, np.ndarray) else scan.read(y=rows)
        flat = np.ascontiguousarray(block).reshape(shape[0], -1)
        out[:, rows] = (weights @ flat).reshape(-1, *block.shape[1:])
    return out
