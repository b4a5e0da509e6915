"""Total variation along z: the nearest volume to a given one whose slices differ less.

The proximal step of w * sum |x[k + 1] - x[k]|, column by column:

    x = argmin 1/2 |x - y|^2 + w * sum |x[k + 1] - x[k]|

by accelerated projected gradients of its dual (Beck & Teboulle 2009). Edges stay where they are;
what flickers from slice to slice by less than w goes. The mean of a column is kept.
"""

import numpy as np

SLAB = 16  # rows of y at a time
ITERATIONS = 30


def smoothed(
    voxels_ZYX: np.ndarray, weight: float, iterations: int = ITERATIONS, slab: int = SLAB
) -> np.ndarray:
    """float32 [Z, Y, X], in place of ``voxels_ZYX`` where those are float32 themselves.

    weight   in the voxels' unit; 0 changes nothing. ValueError below
    """
    if not weight >= 0:
        raise ValueError(f"the weight of total variation starts at 0, found {weight}")
    out = np.asarray(voxels_ZYX, np.float32)
    if weight == 0 or len(out) < 2:
        return out
    for y in range(0, out.shape[1], slab):
        rows = slice(y, y + slab)
        out[:, rows] = _column_step(out[:, rows], np.float32(weight), iterations)
    return out


def _column_step(y_ZPQ: np.ndarray, weight: np.float32, iterations: int) -> np.ndarray:
    """The dual variable of every pair of neighbours lies within the weight."""
    dual = np.zeros_like(y_ZPQ[1:])
    ahead, t = dual.copy(), 1.0
    for _ in range(iterations):
        new = ahead + np.diff(y_ZPQ - _backwards(ahead), axis=0) * np.float32(0.25)
        np.clip(new, -weight, weight, out=new)
        t_new = (1 + (1 + 4 * t * t) ** 0.5) / 2
        ahead = new + np.float32((t - 1) / t_new) * (new - dual)
        dual, t = new, t_new
    return y_ZPQ - _backwards(dual)


def _backwards(dual: np.ndarray) -> np.ndarray:
    """Transpose of the difference of neighbouring slices."""
    out = np.zeros((len(dual) + 1, *dual.shape[1:]), dual.dtype)
    out[1:] += dual
    out[:-1] -= dual
    return out
