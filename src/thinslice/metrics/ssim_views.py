"""Mean structural similarity of three views and in three dimensions, by filters that they share.

The definition is that of ``ssim``: taps (11, sigma 1.5), clipped to the range, and a voxel counts
where its whole window lies inside: in its axial, coronal or sagittal plane, or its cube of 11^3.
Each view smooths the same four maps along two axes or all three; of the nine passes along one axis
that they would take apart, six are left. Rows go by in slabs: along z, then slice by slice along x
and y, where maps stay in the cache; memory stays at 10 slabs.

Maps are float32, in units of the range. The result is within 1e-6 of float64 (1e-7 where there is
noise): the taps are rounded so that they still sum to one, what is clipped stays exactly there, the
variances of sum and difference stay apart, and what the volumes differ by throughout is taken off
before squares are. Equal volumes give exactly 1.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import reduce
from itertools import product
from typing import NamedTuple

import cv2
import numpy as np

from thinslice.metrics.errors import UNIT, width
from thinslice.metrics.ssim import PLANES, RADIUS, combine
from thinslice.volume import Window

CUBE = "3d"
VIEWS = (*PLANES, CUBE)
ROWS = 48  # of the result, per slab
COLUMNS = 4096  # that a pass along z takes at once: eleven rows of them stay in the cache
APART = 80  # numbers between slices, so that not all of them fall on the same lines of the cache


# ``ssim.TAPS`` in units of 2^-24. Sums of such up to one are exact in float32, in any order, so
# that a region of plus or minus one stays as it is. Of the ways to round, the one that keeps the
# second moment.
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

    def wide(self, n: int) -> slice:
        """Its rows with a window's margin, of a volume of ``n``."""
        return _around(np.array([self.y.start, self.y.stop - 1]), n)

    def stride(self, n: int) -> int:
        """Numbers from one slice of four maps to the next."""
        rows = self.wide(n)
        return 4 * (rows.stop - rows.start) * self.shape[2] + APART


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
    (means,) = ssim_ranges(restored, thin, masks, [window], threads)
    return means


def ssim_ranges(
    restored: np.ndarray,
    thin: np.ndarray,
    masks: Mapping[str, np.ndarray],
    windows: Sequence[Window],
    threads: int = 1,
) -> list[dict[str, tuple[float, int]]]:
    """``ssim_views`` in each range; the same voxels are counted in all."""
    counted = {view: _where_windows_fit(mask, view) for view, mask in masks.items()}
    numbers = {view: int(np.count_nonzero(mask)) for view, mask in counted.items()}
    slabs = list(_slabs(_any_of(counted.values())))
    largest = max((slab.shape[0] * slab.stride(thin.shape[1]) for slab in slabs), default=0)
    spaces = [np.empty((2, largest), np.float32) for _ in range(threads)]

    def sums(task: tuple[Window, _Slab]) -> dict[str, float]:
        space = spaces.pop()  # one per thread; fresh arrays would cost more than the filters
        totals = _sums(restored, thin, counted, *task, space)
        spaces.append(space)
        return totals

    with ThreadPoolExecutor(threads) as pool:
        parts = list(pool.map(sums, product(windows, slabs)))
    each = [parts[k * len(slabs) : (k + 1) * len(slabs)] for k in range(len(windows))]
    return [
        {
            view: (sum(part[view] for part in of_slabs) / n, n) if n else (float("nan"), 0)
            for view, n in numbers.items()
        }
        for of_slabs in each
    ]


def _where_windows_fit(mask: np.ndarray, view: str) -> np.ndarray:
    """The mask's voxels whose window in this view lies inside the volume."""
    across = PLANES.get(view)
    inner = tuple(slice(None) if axis == across else slice(RADIUS, -RADIUS) for axis in range(3))
    inside = np.zeros(mask.shape, bool)  # unlike zeros_like, no pages that stay untouched
    inside[inner] = mask[inner]
    return inside


def _any_of(masks: Iterable[np.ndarray]) -> np.ndarray:
    """Where any of the masks is true."""
    first, *rest = masks
    wanted = first.copy()
    for mask in rest:
        np.logical_or(wanted, mask, out=wanted)
    return wanted


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

    space   [2, N], for the four maps of all slices as they are, and smoothed along z
    """
    n, rows, columns = slab.shape
    stride, wide = slab.stride(thin.shape[1]), slab.wide(thin.shape[1])
    inner = slice(slab.y.start - wide.start, slab.y.stop - wide.start)
    still, along_z = (part[: n * stride].reshape(n, stride)[:, :-APART] for part in space)
    work = np.empty((2, rows, columns), np.float32)
    smoothed = np.empty((2, 4 * (wide.stop - wide.start), columns), np.float32)
    totals = dict.fromkeys(counted, 0.0)
    shift = _shift(restored, thin, counted, window, slab)

    def add(view: str, k: int, maps: np.ndarray) -> None:
        mask = counted[view][slab.z.start + k, slab.y, slab.x]
        maps = maps.reshape(4, -1, columns)[:, inner]
        with np.errstate(divide="ignore", invalid="ignore"):  # where nothing is counted
            ssim = combine(maps, UNIT, work, shift / width(window))
            totals[view] += _sum_of(ssim, mask)

    _fill(restored, thin, window, slab, shift, still)
    _smooth_along_z(still, along_z)
    for k, views in enumerate(_views_of_slices(counted, slab)):
        if views:
            both = still[k].reshape(-1, columns), along_z[k].reshape(-1, columns)
            for view, maps in _smoothed(*both, views, smoothed):
                add(view, k, maps)
    return totals


def _sum_of(ssim: np.ndarray, counted: np.ndarray) -> float:
    """Sum of a map where it is counted; the map is overwritten.

    A product is fastest. It is no sum where a voxel that is not counted is infinite or NaN, as at a
    map's edge, where windows see two maps, any number may be.
    """
    total = cv2.sumElems(np.multiply(ssim, counted, out=ssim))[0]
    if np.isfinite(total):
        return total
    ssim[~counted] = 0
    return cv2.sumElems(ssim)[0]


def _views_of_slices(counted: Mapping[str, np.ndarray], slab: _Slab) -> Iterator[list[str]]:
    """The views that have counted voxels, of each slice of a slab."""
    for z in range(slab.z.start, slab.z.stop):
        masks = {view: mask[z, slab.y, slab.x].view(np.uint8) for view, mask in counted.items()}
        yield [view for view, mask in masks.items() if cv2.countNonZero(mask)]


def _smoothed(
    still: np.ndarray, along_z: np.ndarray, views: Collection[str], space: np.ndarray
) -> Iterator[tuple[str, np.ndarray]]:
    """Four maps [4 Y, X] of one slice, smoothed for each view; each to be used before the next.

    space   [2, 4 Y, X]; holds the answers

    All four go by in one call: at a map's edge only its margin sees the next.
    """
    once, twice = space
    if "axial" in views:
        _smooth(still, ALONG_ROW, once)
        _smooth(once, ALONG_COLUMN, twice)
        yield "axial", twice
    if "sagittal" in views:
        _smooth(along_z, ALONG_COLUMN, twice)
        yield "sagittal", twice
    if "coronal" in views or CUBE in views:
        _smooth(along_z, ALONG_ROW, once)
    if CUBE in views:
        _smooth(once, ALONG_COLUMN, twice)
        yield CUBE, twice
    if "coronal" in views:
        yield "coronal", once


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


def _fill(
    restored: np.ndarray,
    thin: np.ndarray,
    window: Window,
    slab: _Slab,
    shift: float,
    out: np.ndarray,
) -> None:
    """Sum and its square, difference less its shift and its square, of every slice."""
    rows = slab.wide(thin.shape[1])
    volumes = restored[slab.z, rows, slab.x], thin[slab.z, rows, slab.x]
    clipped = np.empty((2, *volumes[0].shape[1:]), np.float32)
    for r, t, flat in zip(*volumes, out):
        maps = flat.reshape(4, *r.shape)
        np.clip(r, window.low, window.high, out=clipped[0])
        np.clip(t, window.low, window.high, out=clipped[1])
        np.add(*clipped, out=maps[0])
        np.subtract(*clipped, out=maps[2])
        maps[0] -= window.low + window.high
        maps[2] -= shift
        maps[::2] /= width(window)
        np.square(maps[::2], out=maps[1::2])


def _smooth_along_z(values: np.ndarray, out: np.ndarray) -> None:
    """Gaussian-weighted means over slices of maps [Z, N], into ``out``."""
    for first in range(0, values.shape[1], COLUMNS):
        part = slice(first, first + COLUMNS)
        _smooth(values[:, part], ALONG_COLUMN, out[:, part])


def _smooth(values: np.ndarray, taps: np.ndarray, out: np.ndarray) -> None:
    """Weighted means of an image along the axis of the taps, into ``out``; float32."""
    cv2.filter2D(values, -1, taps, dst=out)
