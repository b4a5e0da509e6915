"""Read a few runs of thick slices, spread over the scan, and the thin slices around them.

Memory does not depend on the length of the scan: a run has a bounded number of thin slices.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import numpy as np

from thinslice.operators import grids
from thinslice.pairs import geometry
from thinslice.pairs.prediction import Block
from thinslice.pairs.reconstructions import Reconstruction
from thinslice.volume import Grid, Volume

RUNS = 3
MOST_THICK, MOST_THIN = 8, 96  # slices of a run
BODY_HU = -300.0
MARGIN_PX = 8


def blocks(thin: Reconstruction, thick: Reconstruction) -> Iterator[Block]:
    """Runs in one frame, cropped to the body."""
    placed = grids.in_frame_of(thin.grid, thick.grid)
    for first, last in _runs(thin.grid, placed):
        low, high = _thin_of(thin.grid, placed, first, last)
        fine = replace(thin.volume(low, high), grid=_slices(thin.grid, low, high))
        coarse = replace(thick.volume(first, last), grid=_slices(placed, first, last))
        yield _cropped(Block(fine, coarse))


def _slices(grid: Grid, first: int, last: int) -> Grid:
    """Part of a grid: all runs have its increment, however the header rounds theirs."""
    return grid.with_slices(
        n=last - first,
        increment_mm=grid.increment_mm,
        thickness_mm=grid.thickness_mm,
        start_mm=grid.start_mm + first * grid.increment_mm,
    )


def _runs(thin: Grid, thick: Grid) -> list[tuple[int, int]]:
    """First and past-the-last thick slices of each run; every other slice of a run is predicted."""
    slices = geometry.usable(thin, thick)
    reach = geometry.half_width_mm(thin, thick) / thin.increment_mm
    fits = int((MOST_THIN - 2 * reach) * thin.increment_mm / thick.increment_mm) + 1
    length = int(np.clip(fits, 2, MOST_THICK))
    if len(slices) <= length * RUNS:
        edges = np.linspace(0, len(slices), max(1, -(-len(slices) // length)) + 1).astype(int)
        runs = [(a, b) for a, b in pairwise(edges) if b - a > 1]
    else:
        starts = np.linspace(0, len(slices) - length, RUNS).astype(int)
        runs = [(a, a + length) for a in starts]
    return [(int(slices[a]), int(slices[b - 1]) + 1) for a, b in runs]


def _thin_of(thin: Grid, thick: Grid, first: int, last: int) -> tuple[int, int]:
    """The thin slices that the taps of a run of thick ones reach, and one to spare."""
    reach_mm = geometry.half_width_mm(thin, thick)
    z = thick.centres_mm()[[first, last - 1]] + np.array([-reach_mm, reach_mm])
    low, high = (z - thin.start_mm) / thin.increment_mm
    return max(0, int(low) - 1), min(thin.n, int(np.ceil(high)) + 2)


def _cropped(block: Block) -> Block:
    """The pixels around the body: air says nothing and takes time."""
    body = (block.thick.voxels > BODY_HU).any(axis=0)
    if not body.any():
        return block
    rows, columns = (np.flatnonzero(side.any(axis=0)) for side in (body.T, body))
    y, x = (slice(max(0, v[0] - MARGIN_PX), v[-1] + 1 + MARGIN_PX) for v in (rows, columns))
    return Block(_part(block.thin, y, x), _part(block.thick, y, x))


def _part(volume: Volume, y: slice, x: slice) -> Volume:
    voxels = np.ascontiguousarray(volume.voxels[:, y, x])
    grid = replace(volume.grid, shape=voxels.shape[1:])
    padding = volume.padding
    if padding is not None:
        padding = replace(padding, labels=padding.labels[:, y, x])
    return Volume(voxels, grid, volume.modality, padding)
