"""Thicken a restored scan to the slices of the thick scan it was made from, to compare the two.

The slice profile of the thick scan is a mixture of a box and a bell (a Gaussian) of one FWHM. What
restored slices have of that width already is not added again: widths add by their squares. A
restored scan as thick as its source is thus compared as it is, and overlaps or gaps make no
difference: each slice lies around its own centre.
"""

from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array

from thinslice.operators import profiles, projection
from thinslice.operators.interpolation import z_shift_mm
from thinslice.volume import Grid

POINTS = 129  # points of equal weight that represent a Gaussian


class SliceProfile(NamedTuple):
    """Profile of a thick slice: (1 - bell) of a box and bell of a Gaussian, both of one FWHM."""

    fwhm_mm: float
    bell: float

    def __str__(self) -> str:
        """In words, e.g. "a bell of 5 mm"."""
        if 0 < self.bell < 1:
            return f"{self.fwhm_mm:.3g} mm wide, {self.bell:.0%} bell and the rest box"
        return f"a {'bell' if self.bell else 'box'} of {self.fwhm_mm:.3g} mm"


def aligned(restored: Grid, thick: Grid) -> Grid:
    """The restored grid with its slices counted from the origin of ``thick``.

    Raises ValueError where pixels or frames differ by more than a shift along z.
    """
    return thick.with_slices(
        n=restored.n,
        increment_mm=restored.increment_mm,
        thickness_mm=restored.thickness_mm,
        start_mm=restored.start_mm + z_shift_mm(thick, restored),
    )


def covered(profile: SliceProfile, restored: Grid, thick: Grid) -> np.ndarray:
    """Share [n_thick] of each thick slice's profile that lies on the restored slices."""
    thin = aligned(restored, thick)
    ends_mm = thin.centres_mm()[[0, -1]] + np.array([-0.5, 0.5]) * max(
        thin.increment_mm, thin.thickness_mm
    )
    low, high = ends_mm[:, None] - thick.centres_mm()
    box, bell = profiles.box(profile.fwhm_mm), profiles.gaussian(profile.fwhm_mm)
    parts = [curve.cdf(high) - curve.cdf(low) for curve in (box, bell)]
    return (1 - profile.bell) * parts[0] + profile.bell * parts[1]


def thickening_matrix(profile: SliceProfile, restored: Grid, thick: Grid) -> csr_array:
    """Weights [n_thick, n_restored] of restored slices in thick ones; rows sum to one.

    At the ends the profile is scaled to what lies on the restored slices, or the end slice is
    repeated: slices that are not ``covered`` are compared less exactly than the others.
    Raises ValueError as ``aligned`` does, and for a thick slice that lies off the restored ones.
    """
    thin = aligned(restored, thick)
    missing = max(profile.fwhm_mm**2 - thin.thickness_mm**2, 0.0)
    matrix = csr_array((thick.n, thin.n))
    if profile.bell < 1:
        # On slices that meet, a box over whole slices is their mean: its width counts a slice more.
        box = profiles.box(float(np.sqrt(missing + thin.increment_mm**2)))
        matrix = matrix + (1 - profile.bell) * projection.profile_matrix(box, thin, thick)
    if profile.bell > 0:
        matrix = matrix + profile.bell * _bell_matrix(missing, thin, thick)
    return csr_array(matrix)


def matrix_of(profile: SliceProfile, restored: Grid, thick: Grid, rows: np.ndarray) -> np.ndarray:
    """``thickening_matrix`` [n_thick, n_restored] of the neighbouring slices ``rows``; others 0."""
    out = np.zeros((thick.n, restored.n))
    wanted = np.flatnonzero(rows)
    if wanted.size:
        some = thick.with_slices(
            n=len(wanted),
            increment_mm=thick.increment_mm,
            thickness_mm=thick.thickness_mm,
            start_mm=float(thick.centres_mm()[wanted[0]]),
        )
        out[wanted] = thickening_matrix(profile, restored, some).toarray()
    return out


def _bell_matrix(missing: float, thin: Grid, thick: Grid) -> csr_array:
    """Weights of a Gaussian whose squared FWHM is ``missing``.

    Between restored centres the scan is linear, which widens a slice by a sixth of the increment's
    square: so much less is added. Beyond the outermost centres the end slice is repeated.
    """
    variance = missing / profiles.FWHM_PER_SIGMA**2
    sigma_mm = float(np.sqrt(max(variance - thin.increment_mm**2 / 6, 0.0)))
    at_mm = thick.centres_mm()[:, None] + sigma_mm * _normal(POINTS)
    centres = thin.centres_mm()
    return projection.point_matrix(np.clip(at_mm, centres[0], centres[-1]), thin)


def _normal(n: int) -> np.ndarray:
    """Midpoints of n equal shares of a normal distribution, scaled to variance one."""
    points = np.array([NormalDist().inv_cdf((k + 0.5) / n) for k in range(n)])
    return points / points.std()
