"""Structural similarity in three dimensions: the window of ``ssim`` made a cube of 11^3 voxels.

The same formula, taps and valid region. Rows of the volume go by in slabs: taps in-plane first,
then along z, so that memory stays at eight slabs in float64.
"""

from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np

from thinslice.metrics.ssim import RADIUS, TAPS, combine, smooth, sum_and_difference
from thinslice.volume import Window

ROWS = 32  # of the result, per slab
IDENTITY = np.ones(1)  # the tap of an axis that is left alone


def ssim_volume(
    restored: np.ndarray,
    thin: np.ndarray,
    mask: np.ndarray,
    window: Window,
    threads: int = 1,
) -> tuple[float, int]:
    """Mean 3-D SSIM over the masked voxels, and their number; (NaN, 0) if there are none.

    Volumes and the boolean mask are [Z, Y, X]; a voxel counts where its whole cube is inside.
    """
    inside = np.zeros_like(mask)
    inside[(slice(RADIUS, -RADIUS),) * 3] = mask[(slice(RADIUS, -RADIUS),) * 3]
    rows, columns = (np.flatnonzero(inside.any(axis=axes)) for axes in ((0, 2), (0, 1)))
    if not rows.size:
        return float("nan"), 0
    x = slice(int(columns[0]) - RADIUS, int(columns[-1]) + RADIUS + 1)
    work = [np.empty((8, len(mask), ROWS, x.stop - x.start)) for _ in range(threads)]

    def slab(first: int) -> float:
        buffers = work.pop()  # one per thread
        y = slice(first - RADIUS, min(first + ROWS, int(rows[-1]) + 1) + RADIUS)
        values = _ssim_slab(restored[:, y, x], thin[:, y, x], window, buffers)
        total = values[inside[:, y, x][:, RADIUS:-RADIUS]].sum()
        work.append(buffers)
        return float(total)

    with ThreadPoolExecutor(threads) as pool:
        total = sum(pool.map(slab, range(int(rows[0]), int(rows[-1]) + 1, ROWS)))
    n = int(np.count_nonzero(inside))
    return total / n, n


def _ssim_slab(r: np.ndarray, t: np.ndarray, window: Window, work: np.ndarray) -> np.ndarray:
    """SSIM [Z, Y - 10, X] of a slab [Z, Y, X]; right only where the whole cube is inside it."""
    n, rows, columns = r.shape
    shape = (n, rows - 2 * RADIUS, columns)
    flat = work.reshape(8, -1)[:, : n * shape[1] * columns]
    planar, cubic = flat[:4].reshape(4, *shape), flat[4:].reshape(4, n, -1)
    u, v, u2, v2, out = (np.empty((rows, columns)) for _ in range(5))
    for k in range(n):
        sum_and_difference(r[k], t[k], window, u, v)
        np.square(u, out=u2)
        np.square(v, out=v2)
        for i, values in enumerate((u, v, u2, v2)):
            smooth(values, out)
            planar[i, k] = out[RADIUS:-RADIUS]
    for i in range(4):
        cv2.sepFilter2D(planar[i].reshape(n, -1), -1, IDENTITY, TAPS, dst=cubic[i])
    p, q = planar[:2].reshape(2, n, -1)
    a, b, U, V = cubic
    return combine(a, b, U, V, window, p, q).reshape(shape)
