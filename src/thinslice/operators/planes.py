"""Slices at any positions and of any thicknesses, as a linear map of thin slices on a regular grid.

``seen_matrix`` A makes thick slices at the given places from thin ones, y = A x. ``estimator`` R
is the map back, x = R y: of all thin slices that give the thick ones back it takes the smoothest,

    R y = argmin over x of  sum of t_k (A x - y)_k^2  +  s |x''|^2

with t the thicknesses (noise is white along z: a slice twice as thick has half the variance), x''
the second difference along z, and a stiffness s so small that A R is the identity within the noise.
Between slices, and over a gap, that is a natural spline that integrates to what was measured
(Reinsch 1967; mean-preserving splines). The same small matrix serves every column of the scan.
"""

import numpy as np
from scipy.linalg import solve
from scipy.sparse import csr_array, vstack

from thinslice.operators import profiles, projection
from thinslice.volume import Grid

STIFFNESS = 1e-5  # of thin slices a thickness long; A R then moves slices by under 1 % of an edge


def seen_matrix(centres_mm: np.ndarray, thickness_mm: np.ndarray, thin: Grid) -> csr_array:
    """Weights [n_thick, n_thin] of thin slices in thick ones; rows sum to one.

    centres_mm     of the thick slices, along the normal from the origin of ``thin``
    thickness_mm   of each: the FWHM of a scanner's profile (``profiles.scanner_profile``)

    The profile laid over thin slices is narrower: theirs and that of one increment add to it, in
    squares. Raises ValueError for a thick slice that lies off the thin ones.
    """
    added = thin.thickness_mm**2 + thin.increment_mm**2
    width_mm = np.sqrt(np.maximum(thickness_mm**2 - added, thin.increment_mm**2))
    rows = []
    for centre, width in zip(centres_mm, width_mm):
        at = thin.with_slices(
            n=1, increment_mm=float(width), thickness_mm=float(width), start_mm=float(centre)
        )
        rows.append(projection.profile_matrix(profiles.scanner_profile(float(width)), thin, at))
    return csr_array(vstack(rows))


def estimator(seen: csr_array, thickness_mm: np.ndarray, increment_mm: float) -> np.ndarray:
    """R [n_thin, n_thick] of the module's docstring, for A = ``seen``.

    thickness_mm   of the thick slices
    increment_mm   of the thin slices

    Ramps along z come back exactly. Raises ValueError for fewer than two slices.
    """
    n_thick, n_thin = seen.shape or (0, 0)
    if n_thick < 2:
        raise ValueError(f"two slices or more are needed, found {n_thick}")
    usual_mm = float(np.median(thickness_mm))
    a = seen.toarray()
    weighted = (a * (thickness_mm / usual_mm)[:, None]).T
    bends = np.diff(np.eye(n_thin), n=2, axis=0)
    stiffness = STIFFNESS * (usual_mm / increment_mm) ** 3
    return solve(weighted @ a + stiffness * bends.T @ bends, weighted, assume_a="pos")


def lattice(centres_mm: np.ndarray, thickness_mm: np.ndarray, frame: Grid) -> Grid:
    """The regular slices that most of the thick ones lie on, over the extent of all.

    Increment and thickness are the medians, the phase is that of most slices. ``frame`` gives the
    pixels and the axes.
    """
    increment_mm, thick_mm = float(np.median(np.diff(centres_mm))), float(np.median(thickness_mm))
    turns = np.exp(2j * np.pi * centres_mm / increment_mm)
    apart = np.abs(np.angle(turns[:, None] / turns))
    phase_mm = float(centres_mm[apart.sum(1).argmin()])  # the median on a circle
    low = float((centres_mm - thickness_mm / 2).min()) + thick_mm / 2
    high = float((centres_mm + thickness_mm / 2).max()) - thick_mm / 2
    first = np.ceil((low - phase_mm) / increment_mm - 0.5)
    last = np.floor((high - phase_mm) / increment_mm + 0.5)
    reach = thick_mm / 2 / increment_mm  # every slice's centre lies on the regular ones
    first = min(first, np.floor((centres_mm[0] - phase_mm) / increment_mm + reach))
    last = max(last, np.ceil((centres_mm[-1] - phase_mm) / increment_mm - reach))
    return frame.with_slices(
        n=max(int(last - first) + 1, 2),
        increment_mm=increment_mm,
        thickness_mm=thick_mm,
        start_mm=phase_mm + float(first) * increment_mm,
    )


def gaps(centres_mm: np.ndarray, thickness_mm: np.ndarray) -> list[tuple[float, float]]:
    """Stretches (from, to) in mm where slices are missing, between the edges of their neighbours.

    Slices are missing where two are more than half an increment farther apart than usual, and by
    more than their thickness.
    """
    apart_mm = np.diff(centres_mm)
    low = centres_mm[:-1] + thickness_mm[:-1] / 2
    high = centres_mm[1:] - thickness_mm[1:] / 2
    wide = (apart_mm > 1.5 * np.median(apart_mm)) & (high - low > 0.01 * apart_mm)
    return [(float(a), float(b)) for a, b in zip(low[wide], high[wide])]
