"""From native slices onto the slices asked for: means over a thickness, ends held.

Native slices lie side by side, each as thick as they are apart. A slice that is asked for is the
mean of what lies within its thickness, each native slice weighed by the part inside (exact
integrals of a box, positions kept). Where it is thinner than the native ones it is as if it were as
thick as they are, which is linear interpolation. Beyond the ends the end slice is held.
"""

import math

import numpy as np
from scipy.sparse import csr_array

from thinslice.operators import profiles, projection
from thinslice.volume import Grid


def slice_mean_matrix(native: Grid, wanted: Grid) -> csr_array:
    """[n_wanted, n_native]; rows sum to one. Both grids are of one frame."""
    pitch_mm = native.increment_mm
    width_mm = max(wanted.thickness_mm, pitch_mm)
    first, last = wanted.centres_mm()[[0, -1]]
    ends = native.centres_mm()[[0, -1]]
    beyond_mm = max(ends[0] - first, last - ends[1], 0.0) + width_mm
    more = math.ceil(beyond_mm / pitch_mm) + 1
    longer = native.with_slices(
        n=native.n + 2 * more,
        increment_mm=pitch_mm,
        thickness_mm=native.thickness_mm,
        start_mm=native.start_mm - more * pitch_mm,
    )
    seen = projection.profile_matrix(profiles.box(width_mm), longer, wanted).toarray()
    held = np.clip(np.arange(longer.n) - more, 0, native.n - 1)
    out = np.zeros((wanted.n, native.n))
    np.add.at(out.T, held, seen.T)
    return csr_array(out)
