"""Measure a scanner's slice profile from a pair of thin and thick reconstructions.

Where one acquisition was reconstructed twice, least squares over all voxels gives the weights
("taps") of the thin slices around each thick one. They sum to one by construction (a constant stays
itself) and are otherwise free: small negative lobes remain.
"""

from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array

from thinslice.interfaces import Scan
from thinslice.operators import profiles, projection
from thinslice.volume import Grid


class ProfileFit(NamedTuple):
    """Weights [J], J odd, of thin slices ``spacing_mm`` apart around the thick slice's centre."""

    weights: np.ndarray
    spacing_mm: float

    @property
    def offsets_mm(self) -> np.ndarray:
        """Position of each tap from the thick slice's centre."""
        return self.spacing_mm * (np.arange(len(self.weights)) - (len(self.weights) - 1) / 2)

    @property
    def offset_mm(self) -> float:
        """Centre of mass: offset of the thick slice from its position by the header."""
        return float(self.weights @ self.offsets_mm / self.weights.sum())

    @property
    def fwhm_mm(self) -> float:
        """Full width at half maximum, linear between taps and zero one step beyond them."""
        h = np.pad(np.asarray(self.weights, float), 1)
        z = self.spacing_mm * (np.arange(len(h)) - (len(h) - 1) / 2)
        half_maximum = h.max() / 2
        above = np.flatnonzero(h >= half_maximum)
        first, last = above[0], above[-1]
        left = np.interp(half_maximum, h[first - 1 : first + 1], z[first - 1 : first + 1])
        right = np.interp(half_maximum, h[last : last + 2][::-1], z[last : last + 2][::-1])
        return float(right - left)

    def profile(self) -> profiles.Profile:
        """The taps as a piecewise constant profile, centred on its centre of mass."""
        return profiles.from_taps([float(w) for w in self.weights], self.spacing_mm)


def fit_taps(thin: Scan, thick: Scan, *, half_width_mm: float = 7.0, slab: int = 64) -> ProfileFit:
    """Least-squares taps from a thin and a thick reconstruction of one acquisition.

    Taps are a thin increment apart, out to ``half_width_mm``; thin slices are interpolated linearly
    where thick centres lie between them. Only thick slices whose taps all lie on the scan are used,
    and of them columns without padding.
    Raises ValueError where the slices' planes differ, no thick slice has all its taps, or the
    volumes do not vary enough to tell the taps apart.
    """
    if thin.grid.shape != thick.grid.shape:
        raise ValueError(f"slices of {thin.grid.shape} and {thick.grid.shape} are not a pair")
    spacing = thin.grid.increment_mm
    steps = np.arange(-int(half_width_mm / spacing), int(half_width_mm / spacing) + 1)
    at = (thick.grid.centres_mm() - thin.grid.start_mm) / spacing  # thick centres in thin slices
    used = np.flatnonzero((at + steps[0] > -1e-6) & (at + steps[-1] < thin.grid.n - 1 + 1e-6))
    if not len(used):
        raise ValueError(f"no thick slice has taps out to {half_width_mm} mm on the thin scan")
    normal, right = np.zeros((len(steps), len(steps))), np.zeros(len(steps))
    for y in range(0, thin.grid.shape[0], slab):
        rows = slice(y, y + slab)
        fine, coarse = thin.read(y=rows).astype(float), thick.read(y=rows).astype(float)
        outside = (thin.padded(y=rows), thick.padded(y=rows))
        for k in used:
            places = at[k] + steps
            columns, values = (
                slices_between(fine, places).reshape(len(steps), -1),
                coarse[k].ravel(),
            )
            whole = _measured(outside, places, int(k))
            if whole is not None:
                columns, values = columns[:, whole], values[whole]
            middle = columns[len(steps) // 2].copy()
            columns -= middle
            normal += columns @ columns.T
            right += columns @ (values - middle)
    return ProfileFit(_solve(normal, right), spacing)


def matrix_from_taps(taps: ProfileFit, thin: Grid, thick: Grid) -> csr_array:
    """Weights [n_thick, n_thin] of the taps' profile; see ``profile_matrix``."""
    return projection.profile_matrix(taps.profile(), thin, thick)


def slices_between(voxels_ZYX: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Slices at fractional indices, linear between neighbours, repeated at the ends."""
    last = len(voxels_ZYX) - 1
    low = np.clip(np.floor(at + 1e-6).astype(int), 0, last)
    share = np.clip(at - low, 0, 1)[:, None, None]
    return (1 - share) * voxels_ZYX[low] + share * voxels_ZYX[np.minimum(low + 1, last)]


def _measured(
    outside: tuple[np.ndarray | None, np.ndarray | None], places: np.ndarray, k: int
) -> np.ndarray | None:
    """Columns [Y * X] without padding in a tap or in thick slice ``k``; None: no scan has any."""
    fine, coarse = outside
    if fine is None and coarse is None:
        return None
    seen = [] if coarse is None else [coarse[k].ravel()]
    if fine is not None:
        seen.append(slices_between(fine.astype(float), places).any(axis=0).ravel())
    return ~np.logical_or.reduce(seen)


def _solve(normal: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Taps from the normal equations of differences to the middle slice; they sum to one."""
    middle = len(right) // 2
    others = np.delete(np.arange(len(right)), middle)
    square = normal[np.ix_(others, others)]
    if np.linalg.matrix_rank(square, hermitian=True) < len(others):
        raise ValueError(f"the scan varies too little along z to tell {len(right)} taps apart")
    taps = np.zeros(len(right))
    taps[others] = np.linalg.solve(square, right[others])
    taps[middle] = 1 - taps.sum()
    return taps
