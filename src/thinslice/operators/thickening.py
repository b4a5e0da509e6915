"""Thicken a restored scan to the slices of the thick scan it was made from, to compare the two.

Slice profiles are taken for Gaussians of the stated thickness, in both scans. The kernel between
them is then a Gaussian as well, whose squared FWHM is the difference of theirs. A restored scan as
thick as its source is thus compared as it is, and overlaps or gaps make no difference: each slice
is a Gaussian around its own centre.
"""

from statistics import NormalDist

import numpy as np
from scipy.sparse import csr_array

from thinslice.operators import profiles, projection
from thinslice.volume import Grid

POINTS = 129  # points of equal weight that represent a Gaussian


def missing_mm(restored: Grid, thick: Grid) -> float:
    """FWHM of the Gaussian that thickens restored slices; 0 where they are as thick."""
    return float(np.sqrt(max(thick.thickness_mm**2 - restored.thickness_mm**2, 0.0)))


def thickening_matrix(restored: Grid, thick: Grid) -> csr_array:
    """Weights [n_thick, n_restored] of restored slices in thick ones; rows sum to one.

    Between restored centres the scan is linear, which widens a slice by a sixth of the increment's
    square: so much less is added. Beyond the outermost restored centres the end slice is repeated,
    so that the first and last thick slice are compared less exactly than the others.
    Raises ValueError for grids of different frames.
    """
    if restored.direction != thick.direction or restored.origin_mm != thick.origin_mm:
        raise ValueError("restored and thick grids must share origin and direction")
    variance = (missing_mm(restored, thick) / profiles.FWHM_PER_SIGMA) ** 2
    sigma_mm = float(np.sqrt(max(variance - restored.increment_mm**2 / 6, 0.0)))
    at_mm = thick.centres_mm()[:, None] + sigma_mm * _normal(POINTS)
    centres = restored.centres_mm()
    return projection.point_matrix(np.clip(at_mm, centres[0], centres[-1]), restored)


def _normal(n: int) -> np.ndarray:
    """Midpoints of n equal shares of a normal distribution, scaled to variance one."""
    points = np.array([NormalDist().inv_cdf((k + 0.5) / n) for k in range(n)])
    return points / points.std()
