"""Carry padding from a scan to what is computed from it: made thick, made coarser, restored.

A voxel is no measurement where any part of what it was computed from is none. The number that
stands there is that of the padding with the largest share, of the numbers that most voxels have.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from thinslice.volume import Grid, Padding, Volume

SHARE = 1e-6  # of a voxel's weight; less of padding moves no HU
NUMBERS = 4  # told apart in what is computed; blurred edges alone may have 100,000 others
HALFWAY = 1e-6  # slices: rounding of positions must not decide which of two is nearest


def projected(
    padding: Padding | None, share_of: Callable[[np.ndarray], np.ndarray]
) -> Padding | None:
    """Padding of what is computed from a padded scan; None where none of it has seen any.

    share_of   from float32 [Z, Y, X], 1 where a value stands, the share of each computed voxel's
               weight that lies there; weights by their size: a negative lobe sees too
    """
    if padding is None:
        return None
    padding = _commonest(padding)
    shares = [share_of(part.astype(np.float32)) for part in _by_value(padding)]
    most = np.argmax(shares, axis=0)
    labels = np.where(np.max(shares, axis=0) > SHARE, 1 + most, 0).astype(padding.labels.dtype)
    return replace(padding, labels=labels) if labels.any() else None


def carried(restored: Volume, thick: Volume) -> Volume:
    """The restored volume with the padding of the scan it was made of, filled as that is.

    Its voxels are those of the nearest slice, and nearest pixel, of the scan; halfway between two
    slices, those that either lacks. Both grids are of one orientation.
    """
    if thick.padding is None:
        return restored.with_padding(None)
    labels = thick.padding.labels
    at = _places(thick.grid, restored.grid)
    y, x = (np.clip(np.rint(a), 0, n - 1).astype(int) for a, n in zip(at[1:], labels.shape[1:]))
    z = np.clip(at[0], 0, len(labels) - 1)
    nearest = zip(np.ceil(z - 0.5 - HALFWAY).astype(int), np.floor(z + 0.5 + HALFWAY).astype(int))
    out = np.empty(restored.grid.zyx, labels.dtype)
    for k, (low, high) in enumerate(nearest):
        lower, upper = (labels[max(i, 0)][np.ix_(y, x)] for i in (low, min(high, len(labels) - 1)))
        out[k] = np.where(lower > 0, lower, upper)
    return restored.with_padding(replace(thick.padding, labels=out) if out.any() else None)


def _commonest(padding: Padding) -> Padding:
    """The same voxels with the ``NUMBERS`` commonest numbers alone; the rest have the first."""
    if len(padding.values) <= NUMBERS:
        return padding
    counts = np.bincount(padding.labels.ravel(), minlength=len(padding.values) + 1)[1:]
    ranked = np.argsort(-counts, kind="stable")[:NUMBERS]
    common = np.sort(ranked)
    labels = np.full(len(padding.values) + 1, 1 + np.searchsorted(common, ranked[0]), np.uint8)
    labels[0], labels[1 + common] = 0, 1 + np.arange(len(common))
    return Padding(labels[padding.labels], tuple(padding.values[k] for k in common))


def _by_value(padding: Padding) -> Iterator[np.ndarray]:
    """The mask of each value in turn."""
    for label in range(1, len(padding.values) + 1):
        yield padding.labels == label


def _places(grid: Grid, target: Grid) -> list[np.ndarray]:
    """Fractional indices (z, y, x) in ``grid`` of the voxels of ``target``."""
    axes = np.array(grid.direction, float)
    shift_mm = axes @ (np.array(target.origin_mm) - np.array(grid.origin_mm))
    shift_mm[0] += target.start_mm - grid.start_mm
    steps_mm = zip((grid.increment_mm, *grid.pixel_mm), (target.increment_mm, *target.pixel_mm))
    return [
        (shift + its * np.arange(n)) / ours
        for shift, (ours, its), n in zip(shift_mm, steps_mm, target.zyx)
    ]
