"""Mean structural similarity of three views and in three dimensions, by filters that they share.

The definition is that of ``ssim``: taps (11, sigma 1.5), clipped to the range, and a voxel counts
where its whole window lies inside: in its axial, coronal or sagittal plane, or its cube of 11^3.
Each view smooths the same four maps along two axes or all three; of the nine passes along one axis
that they would take apart, six are left. Slabs of rows go by along z, some slices at a time, and
those slice by slice along x and y, where maps stay in the cache. However many slices there are, a
thread works in the same 40 MB (at 512 x 512), taken once: to map fresh pages costs system time.

Maps are float32, in units of the range. The result is within 1e-6 of float64 (1e-7 where there is
noise): the taps are rounded so that they still sum to one, what is clipped stays exactly there, the
variances of sum and difference stay apart, and what the volumes differ by throughout is taken off
before squares are. Equal volumes give exactly 1.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from typing import NamedTuple

import cv2
import numpy as np

from thinslice.metrics.counted_slabs import Counted, Slab, slabs
from thinslice.metrics.errors import UNIT, width
from thinslice.metrics.ssim import PLANES, RADIUS, combine
from thinslice.volume import Window

CUBE = "3d"
VIEWS = (*PLANES, CUBE)
DEPTH = 32  # slices of the result at a time
COLUMNS = 4096  # that a pass along z takes at once: eleven rows of them stay in the cache
APART = 80  # numbers between slices, so that not all of them fall on the same lines of the cache


# ``ssim.TAPS`` in units of 2^-24. Sums of such up to one are exact in float32, in any order, so
# that a region of plus or minus one stays as it is. Of the ways to round, the one that keeps the
# second moment.
_HALF = [17253, 127487, 603992, 1834768, 3573640, 4462936]
SINGLE_TAPS = (np.array(_HALF + _HALF[-2::-1]) / 2**24).astype(np.float32)
ALONG_ROW, ALONG_COLUMN = SINGLE_TAPS[None], SINGLE_TAPS[:, None]


class _Space(NamedTuple):
    """What a thread works in, float32; taken once, and of the size of its largest slab."""

    still: np.ndarray  # [slices, N] four maps of slices as they are
    along_z: np.ndarray  # [slices, N] smoothed along z
    smoothed: np.ndarray  # [2, N] of one slice, smoothed further
    work: np.ndarray  # [2, N] two maps

    @classmethod
    def of(cls, n: int) -> "_Space":
        """For slabs of which four maps of a slice have ``n`` numbers."""
        deep = [np.empty((DEPTH + 2 * RADIUS, n + APART), np.float32)[:, :n] for _ in range(2)]
        return cls(*deep, *(np.empty((2, n), np.float32) for _ in range(2)))


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
    counted = {view: Counted.of(mask, view) for view, mask in masks.items()}
    numbers = {view: each.number for view, each in counted.items()}
    parts_of = list(slabs(counted.values()))
    largest = max((_numbers(slab, thin.shape[1]) for slab in parts_of), default=0)
    spaces = [_Space.of(largest) for _ in range(threads)]

    def sums(task: tuple[Window, Slab]) -> dict[str, float]:
        space = spaces.pop()  # one per thread; fresh arrays would cost more than the filters
        totals = _sums(restored, thin, counted, *task, space)
        spaces.append(space)
        return totals

    with ThreadPoolExecutor(threads) as pool:
        parts = list(pool.map(sums, product(windows, parts_of)))
    each = [parts[k * len(parts_of) : (k + 1) * len(parts_of)] for k in range(len(windows))]
    return [
        {
            view: (sum(part[view] for part in of_slabs) / n, n) if n else (float("nan"), 0)
            for view, n in numbers.items()
        }
        for of_slabs in each
    ]


def _numbers(slab: Slab, n_y: int) -> int:
    """Numbers in four maps of a slab's slice with its margins, of a volume of ``n_y`` rows."""
    rows = slab.wide(n_y)
    return 4 * (rows.stop - rows.start) * slab.shape[2]


def _sums(
    restored: np.ndarray,
    thin: np.ndarray,
    counted: Mapping[str, Counted],
    window: Window,
    slab: Slab,
    space: _Space,
) -> dict[str, float]:
    """Sum of SSIM over the counted voxels of one slab, by view."""
    _, rows, columns = slab.shape
    wide, n = slab.wide(thin.shape[1]), _numbers(slab, thin.shape[1])
    inner = slice(slab.y.start - wide.start, slab.y.stop - wide.start)
    work = space.work[:, : rows * columns].reshape(2, rows, columns)
    smoothed = space.smoothed[:, :n].reshape(2, -1, columns)
    totals = dict.fromkeys(counted, 0.0)
    shift = _shift(restored, thin, counted, window, slab)

    def fill(slices: slice, out: np.ndarray) -> None:
        z = slice(slab.z.start + slices.start, slab.z.start + slices.stop)
        volumes = restored[z, wide, slab.x], thin[z, wide, slab.x]
        _fill(*volumes, window, shift, out)

    for k, still, along_z in _smoothed_along_z(slab.shape[0], n, fill, space):
        planes = {view: each.plane(slab.z.start + k, slab) for view, each in counted.items()}
        planes = {view: mask for view, mask in planes.items() if mask is not None}
        both = still.reshape(-1, columns), along_z.reshape(-1, columns)
        for view, maps in _smoothed(*both, planes, smoothed):
            maps = maps.reshape(4, -1, columns)[:, inner]
            with np.errstate(divide="ignore", invalid="ignore"):  # where nothing is counted
                ssim = combine(maps, UNIT, work, shift / width(window))
                totals[view] += _sum_of(ssim, planes[view])
    return totals


def _smoothed_along_z(
    slices: int, n: int, fill: Callable[[slice, np.ndarray], None], space: _Space
) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """Every slice's number, and its four maps [n] as they are and smoothed along z.

    Some slices are held at a time, with a window's margin; those that the next ones see stay.
    """
    still, along_z = space.still[:, :n], space.along_z[:, :n]
    begin = end = 0  # of the slices that are held
    for first in range(0, slices, DEPTH):
        last = min(first + DEPTH, slices)
        before, begin = begin, max(0, first - RADIUS)
        stay = max(0, end - begin)
        still[:stay] = still[begin - before : end - before]
        before, end = begin + stay, min(slices, last + RADIUS)
        fill(slice(before, end), still[stay : end - begin])
        _smooth_along_z(still[: end - begin], along_z[: end - begin])
        for k in range(first, last):
            yield k, still[k - begin], along_z[k - begin]


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
    counted: Mapping[str, Counted],
    window: Window,
    slab: Slab,
) -> float:
    """About what the volumes differ by in a slab: what is left of the difference is small.

    Of the counted voxels of one slice alone: no other voxel may change as much as the rounding.
    """
    wanted = np.zeros(slab.shape, bool)
    for each in counted.values():
        each.add_to(wanted, slab)
    k = int(np.count_nonzero(wanted, axis=(1, 2)).argmax())
    chosen = (slab.z.start + k, slab.y, slab.x)
    r, t = (v[chosen][wanted[k]].clip(window.low, window.high) for v in (restored, thin))
    return float(np.float32((r - t).mean(dtype=np.float64)))


def _fill(
    restored: np.ndarray, thin: np.ndarray, window: Window, shift: float, out: np.ndarray
) -> None:
    """Sum and its square, difference less its shift and its square, of every slice."""
    clipped = np.empty((2, *thin.shape[1:]), np.float32)
    for r, t, flat in zip(restored, thin, out):
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
