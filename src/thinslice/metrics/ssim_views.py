"""Mean structural similarity of three views and in three dimensions, by filters that they share.

The definition is that of ``ssim``: taps (11, sigma 1.5), clipped to the range, and a voxel counts
where its whole window lies inside: in its axial, coronal or sagittal plane, or its cube of 11^3.
Each view smooths the same four maps along two axes or all three; of the nine passes along one axis
that they would take apart, six are left. Rows go by in slabs: along x and y slice by slice, then
along z, so that memory stays at 16 slabs.

Maps are float32, in units of the range. The result is within 1e-6 of float64 (1e-7 where there is
noise): the taps are rounded so that they still sum to one, what is clipped stays exactly there, the
variances of sum and difference stay apart, and what the volumes differ by throughout is taken off
before squares are. Equal volumes give exactly 1. The four maps of a row lie one after another, so
that a pass takes all of them in one call.
"""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import reduce
from typing import NamedTuple

import cv2
import numpy as np

from thinslice.metrics.errors import UNIT, width
from thinslice.metrics.ssim import PLANES, RADIUS, combine, sum_and_difference
from thinslice.volume import Window

CUBE = "3d"
VIEWS = (*PLANES, CUBE)
ROWS = 32  # of the result, per slab
COLUMNS = 4096  # that a pass along z takes at once: eleven rows of them stay in the cache
ACROSS_SLICES = ("coronal", "sagittal", CUBE)  # views whose window reaches along z


# TAPS in units of 2^-24. Sums of such up to one are exact in float32, in any order, so that a
# region of plus or minus one stays as it is. Of the ways to round, the one that keeps the second
# moment.
_HALF = [17253, 127487, 603992, 1834768, 3573640, 4462936]
SINGLE_TAPS = (np.array(_HALF + _HALF[-2::-1]) / 2**24).astype(np.float32)
ALONG_ROW, ALONG_COLUMN = SINGLE_TAPS[None], SINGLE_TAPS[:, None]


class _Slab(NamedTuple):
    """Where the result is wanted: rows ``y``, and slices and columns with a window's margin."""

    z: slice
    y: slice
    x: slice

    @property
    def shape(self) -> tuple[int, int, int]:
        z, y, x = (part.stop - part.start for part in self)
        return z, y, x


def ssim_views(
    restored: np.ndarray,
    thin: np.ndarray,
    masks: Mapping[str, np.ndarray],
    window: Window,
    threads: int = 1,
) -> dict[str, tuple[float, int]]:
    """Mean SSIM over the masked voxels of each view, and their number; (NaN, 0) if there are none.

    Volumes are [Z, Y, X], as are the boolean masks, one for each of the VIEWS that are wanted. The
    answer does not depend on ``threads``, bit for bit.
    """
    counted = {view: _where_windows_fit(mask, view) for view, mask in masks.items()}
    slabs = list(_slabs(reduce(np.logical_or, counted.values())))
    largest = max((np.prod(slab.shape) for slab in slabs), default=0)
    spaces = [np.empty(16 * largest, np.float32) for _ in range(threads)]

    def sums(slab: _Slab) -> dict[str, float]:
        space = spaces.pop()  # one per thread; fresh arrays would cost more than the filters
        totals = _sums(restored, thin, counted, window, slab, space)
        spaces.append(space)
        return totals

    with ThreadPoolExecutor(threads) as pool:
        parts = list(pool.map(sums, slabs))
    numbers = {view: int(np.count_nonzero(mask)) for view, mask in counted.items()}
    return {
        view: (sum(part[view] for part in parts) / n, n) if n else (float("nan"), 0)
        for view, n in numbers.items()
    }


def _where_windows_fit(mask: np.ndarray, view: str) -> np.ndarray:
    """The mask's voxels whose window in this view lies inside the volume."""
    across = PLANES.get(view)
    inner = tuple(slice(None) if axis == across else slice(RADIUS, -RADIUS) for axis in range(3))
    inside = np.zeros_like(mask)
    inside[inner] = mask[inner]
    return inside


def _slabs(wanted: np.ndarray) -> Iterator[_Slab]:
    """Slabs of rows around the wanted voxels [Z, Y, X], each no wider and longer than they need."""
    rows = np.flatnonzero(wanted.any(axis=(0, 2)))
    n_z, _, n_x = wanted.shape
    for first in range(int(rows[0]), int(rows[-1]) + 1, ROWS) if rows.size else ():
        y = slice(first, min(first + ROWS, int(rows[-1]) + 1))
        slices = np.flatnonzero(wanted[:, y].any(axis=(1, 2)))
        if slices.size:
            columns = np.flatnonzero(wanted[:, y].any(axis=(0, 1)))
            yield _Slab(_around(slices, n_z), y, _around(columns, n_x))


def _around(indices: np.ndarray, n: int) -> slice:
    """From a window before the first index to a window after the last, inside 0..n."""
    return slice(max(0, int(indices[0]) - RADIUS), min(n, int(indices[-1]) + RADIUS + 1))


def _sums(
    restored: np.ndarray,
    thin: np.ndarray,
    counted: Mapping[str, np.ndarray],
    window: Window,
    slab: _Slab,
    space: np.ndarray,
) -> dict[str, float]:
    """Sum of SSIM over the counted voxels of one slab, by view.

    space   at least 16 slabs: four maps smoothed in-plane for each view across slices, then along z
    """
    n, rows, columns = slab.shape
    flat = space[: 16 * n * rows * columns].reshape(4, n, 4, rows, columns)
    planar: dict[str, np.ndarray] = dict(zip(ACROSS_SLICES, flat[:3]))
    along_z = flat[3]
    work = np.empty((2, rows, columns), np.float32)
    totals = dict.fromkeys(counted, 0.0)
    shift = _shift(restored, thin, counted, window, slab)

    def add(view: str, k: int, maps: np.ndarray) -> None:
        mask = counted[view][slab.z.start + k, slab.y, slab.x].view(np.uint8)
        if voxels := cv2.countNonZero(mask):
            mean = cv2.mean(combine(maps, UNIT, work, shift / width(window)), mask=mask)[0]
            totals[view] += mean * voxels

    _smooth_planes(restored, thin, window, slab, shift, planar)
    if "axial" in counted:
        for k in range(n):
            add("axial", k, planar[CUBE][k].copy())
    for view in [view for view in ACROSS_SLICES if view in counted]:
        _smooth_along_z(planar[view].reshape(n, -1), along_z.reshape(n, -1))
        for k in range(n):
            add(view, k, along_z[k])
    return totals


def _shift(
    restored: np.ndarray,
    thin: np.ndarray,
    counted: Mapping[str, np.ndarray],
    window: Window,
    slab: _Slab,
) -> float:
    """About what the volumes differ by in a slab: what is left of the difference is small.

    Of the counted voxels of one slice alone: no other voxel may change as much as the rounding.
    """
    wanted = reduce(np.logical_or, (mask[slab.z, slab.y, slab.x] for mask in counted.values()))
    k = int(np.count_nonzero(wanted, axis=(1, 2)).argmax())
    chosen = (slab.z.start + k, slab.y, slab.x)
    r, t = (v[chosen][wanted[k]].clip(window.low, window.high) for v in (restored, thin))
    return float(np.float32((r - t).mean(dtype=np.float64)))


def _smooth_planes(
    restored: np.ndarray,
    thin: np.ndarray,
    window: Window,
    slab: _Slab,
    shift: float,
    planar: Mapping[str, np.ndarray],
) -> None:
    """Sum, difference less its shift, and their squares: smoothed along x, along y, and both."""
    outer = _around(np.array([slab.y.start, slab.y.stop - 1]), thin.shape[1])
    inner = slice(slab.y.start - outer.start, slab.y.stop - outer.start)
    rows, columns = outer.stop - outer.start, slab.x.stop - slab.x.start
    maps, along_x, along_y = np.empty((3, rows, 4, columns), np.float32)
    pair, squares = maps[:, ::2], maps[:, 1::2]
    u, v = pair[:, 0], pair[:, 1]
    for k, z in enumerate(range(slab.z.start, slab.z.stop)):
        sum_and_difference(restored[z, outer, slab.x], thin[z, outer, slab.x], window, u, v)
        v -= shift
        pair /= width(window)
        np.square(pair, out=squares)
        _smooth(maps.reshape(rows, -1), ALONG_COLUMN, along_y.reshape(rows, -1))
        planar["sagittal"][k] = along_y[inner].swapaxes(0, 1)
        _smooth(maps.reshape(-1, columns), ALONG_ROW, along_x.reshape(-1, columns))
        planar["coronal"][k] = along_x[inner].swapaxes(0, 1)
        _smooth(along_x.reshape(rows, -1), ALONG_COLUMN, along_y.reshape(rows, -1))
        planar[CUBE][k] = along_y[inner].swapaxes(0, 1)


def _smooth_along_z(values: np.ndarray, out: np.ndarray) -> None:
    """Gaussian-weighted means over slices of maps [Z, N], into ``out``."""
    for first in range(0, values.shape[1], COLUMNS):
        part = slice(first, first + COLUMNS)
        _smooth(values[:, part], ALONG_COLUMN, out[:, part])


def _smooth(values: np.ndarray, taps: np.ndarray, out: np.ndarray) -> None:
    """Weighted means of an image along the axis of the taps, into ``out``; float32."""
    cv2.filter2D(values, -1, taps, dst=out)
