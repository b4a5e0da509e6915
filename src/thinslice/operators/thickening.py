"""A restored scan made as thick again as the scan it was made of, to be compared with it.

Slices are taken for bells of their stated thickness, restored ones and thick ones alike: what is
missing from one to the other is a bell as well, whose square of FWHM is the difference of theirs.
A restored scan as thick as its source is thus compared with it as it is, and slices that overlap or
leave gaps are no different from others: each is a bell around its own centre.
"""

from statistics import NormalDist

import numpy as np
from scipy.sparse import csr_array

from thinslice.operators import profiles, projection
from thinslice.volume import Grid

POINTS = 129  # of equal weight, that a bell is the mean of


def missing_mm(restored: Grid, thick: Grid) -> float:
    """FWHM of the bell by which restored slices become thick ones; 0 where they are as thick."""
    return float(np.sqrt(max(thick.thickness_mm**2 - restored.thickness_mm**2, 0.0)))


def thickening_matrix(restored: Grid, thick: Grid) -> csr_array:
    """Weights [n_thick, n_restored] by which thick slices arise from restored ones; sums are one.

    Between restored centres the scan is linear, which widens a slice by a sixth of the increment's
    square: so much less is added. Beyond the outermost restored centres the end slice is held, so
    that the first and last thick slice are compared less exactly than the others.
    Raises ValueError for grids that are not in one frame.
    """
    if restored.direction != thick.direction or restored.origin_mm != thick.origin_mm:
        raise ValueError("restored and thick grids must share origin and direction")
    variance = (missing_mm(restored, thick) / profiles.FWHM_PER_SIGMA) ** 2
    sigma_mm = float(np.sqrt(max(variance - restored.increment_mm**2 / 6, 0.0)))
    at_mm = thick.centres_mm()[:, None] + sigma_mm * _normal(POINTS)
    centres = restored.centres_mm()
    return projection.point_matrix(np.clip(at_mm, centres[0], centres[-1]), restored)


def _normal(n: int) -> np.ndarray:
    """The middles of n equal shares of a normal distribution, of variance one."""
    points = np.array([NormalDist().inv_cdf((k + 0.5) / n) for k in range(n)])
    return points / points.std()
