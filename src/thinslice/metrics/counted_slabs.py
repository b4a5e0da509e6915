"""Voxels that SSIM of each view counts, and slabs of rows around them.

A voxel counts where its mask is true and its whole window lies inside the volume. Masks stay as
they are: that windows fit is a box, so no volume is copied.
"""

from collections.abc import Collection, Iterator
from typing import NamedTuple

import cv2
import numpy as np

from thinslice.metrics.ssim import PLANES, RADIUS

PIXELS = 28_000  # of a slice, per slab at most: what is made of their maps stays in the cache


class Slab(NamedTuple):
    """Where the result is wanted: rows ``y``, and slices and columns with a window's margin."""

    z: slice
    y: slice
    x: slice

    @property
    def shape(self) -> tuple[int, int, int]:
        """Slices, rows and columns."""
        z, y, x = (part.stop - part.start for part in self)
        return z, y, x

    def wide(self, n: int) -> slice:
        """Its rows with a window's margin, of a volume of ``n``."""
        return _around(np.array([self.y.start, self.y.stop - 1]), n)


class Counted(NamedTuple):
    """What a view counts: a mask [Z, Y, X], and the box where its windows fit."""

    mask: np.ndarray
    box: Slab

    @classmethod
    def of(cls, mask: np.ndarray, view: str) -> "Counted":
        """The mask's voxels whose window in this view lies inside the volume."""
        across = PLANES.get(view)
        margins = (0 if axis == across else RADIUS for axis in range(3))
        inner = (slice(m, max(m, n - m)) for m, n in zip(margins, mask.shape))
        return cls(mask, Slab(*inner))

    @property
    def number(self) -> int:
        """How many voxels it counts."""
        return sum(cv2.countNonZero(plane) for plane in self.mask[self.box].view(np.uint8))

    def add_to(self, wanted: np.ndarray, slab: Slab) -> None:
        """Set ``wanted``, of the slab's shape, wherever a voxel of the slab is counted."""
        both = [_overlap(ours, its) for ours, its in zip(self.box, slab)]
        inside = tuple(slice(o.start - s.start, o.stop - s.start) for o, s in zip(both, slab))
        wanted[inside] |= self.mask[tuple(both)]

    def plane(self, z: int, slab: Slab) -> np.ndarray | None:
        """What is counted [Y, X] of slice ``z`` in a slab; None: nothing."""
        if not self.box.z.start <= z < self.box.z.stop:
            return None
        here = slab._replace(z=slice(z, z + 1))
        plane = self.mask[z, slab.y, slab.x]
        if any(_overlap(ours, its) != its for ours, its in zip(self.box, here)):
            cut = np.zeros((1, *plane.shape), bool)
            self.add_to(cut, here)
            plane = cut[0]
        return plane if cv2.countNonZero(plane.view(np.uint8)) else None


def slabs(counted: Collection[Counted]) -> Iterator[Slab]:
    """Slabs of rows around the counted voxels, each no wider and longer than they need."""
    n_z, n_y, n_x = next(iter(counted)).mask.shape
    has = np.zeros(n_y, bool)
    for mask, box in counted:
        has[box.y] |= mask[box].any(axis=(0, 2))
    for y in _cut(np.flatnonzero(has), PIXELS // n_x):
        columns = np.zeros((n_z, n_x), bool)
        for mask, box in counted:
            columns[box.z, box.x] |= mask[box.z, _overlap(box.y, y), box.x].any(axis=1)
        z, x = np.flatnonzero(columns.any(axis=1)), np.flatnonzero(columns.any(axis=0))
        if z.size:
            yield Slab(_around(z, n_z), y, _around(x, n_x))


def _cut(rows: np.ndarray, most: int) -> Iterator[slice]:
    """From the first to the last of ``rows``, in equal parts of at most so many."""
    if not rows.size:
        return
    first, n = int(rows[0]), int(rows[-1]) + 1 - int(rows[0])
    parts = -(-n // max(1, most))
    for k in range(parts):
        yield slice(first + k * n // parts, first + (k + 1) * n // parts)


def _overlap(a: slice, b: slice) -> slice:
    """What two ranges share; empty, not negative, where that is nothing."""
    first = max(a.start, b.start)
    return slice(first, max(first, min(a.stop, b.stop)))


def _around(indices: np.ndarray, n: int) -> slice:
    """From a window before the first index to a window after the last, inside 0..n."""
    return slice(max(0, int(indices[0]) - RADIUS), min(n, int(indices[-1]) + RADIUS + 1))
