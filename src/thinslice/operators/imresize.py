"""Antialiased bicubic downsampling along one axis, as MATLAB's ``imresize``.

The Keys cubic (a = -0.5), stretched by the factor and scaled so that weights sum to one: a coarse
pixel weighs the fine pixels of four coarse ones. Pixels tile the same extent (half-pixel
centres: coarse pixel j lies at fine index (j + 0.5) factor - 0.5), and past its ends the axis is
mirrored, the end pixel twice. Ramps stay ramps away from the ends.

Written from MATLAB's public description. MATLAB rounds 8-bit images after each axis; that is not
linear and is left to the caller.
"""

from math import ceil

import numpy as np
from scipy.sparse import csr_array

from thinslice.operators.kernels import keys


def centres(n: int, factor: float) -> np.ndarray:
    """Centres of ``n`` coarse pixels, in fine pixels from the centre of the first fine one."""
    return (np.arange(n) + 0.5) * factor - 0.5


def weights(n: int, factor: float, n_out: int | None = None) -> csr_array:
    """[n_out, n]; every row sums to one.

    factor   fine pixels per coarse one, at least 1
    n_out    coarse pixels; None: ceil(n / factor), as MATLAB's for a given scale

    ValueError for a factor below 1: upsampling is not supported.
    """
    if not factor >= 1:
        raise ValueError(f"shrinking by {factor:g}: a factor starts at 1")
    n_out = ceil(n / factor) if n_out is None else n_out
    at = centres(n_out, factor)
    reach = ceil(2 * factor)
    index = np.floor(at)[:, None].astype(int) + np.arange(-reach, reach + 2)
    share = keys(np.abs(at[:, None] - index) / factor)
    share /= share.sum(1, keepdims=True)
    out = np.zeros((n_out, n))
    np.add.at(out, (np.arange(n_out)[:, None], _mirrored(index, n)), share)
    return csr_array(out)


def _mirrored(index: np.ndarray, n: int) -> np.ndarray:
    """Indices reflected at the axis's ends: -1 is 0, n is n - 1."""
    folded = index % (2 * n)
    return np.minimum(folded, 2 * n - 1 - folded)
