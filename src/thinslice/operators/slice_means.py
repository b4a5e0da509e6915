"""Mean of native slices over the thickness of target slices.

Native slices are contiguous, as thick as their increment. A target slice is the mean over its
thickness, each native slice weighted by the part inside (exact integrals of a box; positions are
exact). Target slices thinner than native ones are widened to the native thickness, which is linear
interpolation. Beyond the ends the end slice is repeated.
"""

import math

import numpy as np
from scipy.sparse import csr_array

from thinslice.operators import profiles, projection
from thinslice.volume import Grid


def slice_mean_matrix(native: Grid, target: Grid) -> csr_array:
    """Weights [n_target, n_native]; rows sum to one. Both grids are of one frame."""
    pitch_mm = native.increment_mm
    width_mm = max(target.thickness_mm, pitch_mm)
    first, last = target.centres_mm()[[0, -1]]
    ends = native.centres_mm()[[0, -1]]
    beyond_mm = max(ends[0] - first, last - ends[1], 0.0) + width_mm
    extra = math.ceil(beyond_mm / pitch_mm) + 1
    longer = native.with_slices(
        n=native.n + 2 * extra,
        increment_mm=pitch_mm,
        thickness_mm=native.thickness_mm,
        start_mm=native.start_mm - extra * pitch_mm,
    )
    weights = projection.profile_matrix(profiles.box(width_mm), longer, target).toarray()
    nearest = np.clip(np.arange(longer.n) - extra, 0, native.n - 1)
    out = np.zeros((target.n, native.n))
    np.add.at(out.T, nearest, weights.T)
    return csr_array(out)
