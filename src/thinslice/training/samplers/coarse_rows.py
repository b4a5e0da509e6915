"""Axial slices of a thick scan, seen as its planes are: coarse rows, and the fine rows between.

An axial slice is fine along both of its axes. Along one of them, in turn, it is averaged over rows
as thick and as far apart as the scan's slices are, and over rows as thick and as far from these as
the slices that are asked for. So a network of ``thick_planes`` can learn from the scan alone. The
planes beside an axial slice are the slice itself, and the profile of a slice is taken for a box.

Shape suffixes: B patches, C channels, K fine rows per coarse one, Z coarse rows, W columns; P and Q
the axes of an axial slice, rows first.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch

from thinslice.errors import Refused
from thinslice.interfaces import Pair, Scan
from thinslice.operators.overlap import line
from thinslice.operators.profiles import box
from thinslice.operators.projection import profile_matrix
from thinslice.training.batches import Batch
from thinslice.training.samplers.crops import filled, place, window
from thinslice.training.samplers.thick_planes import Answered, Distances
from thinslice.volume import Window


class CoarseScan(NamedTuple):
    """A thick scan to learn from, and which slices are asked of it."""

    scan: Scan
    window: Window
    offsets_mm: np.ndarray  # [K] of the slices from a thick one on
    thickness_mm: float  # of these slices

    @classmethod
    def of(cls, pair: Pair, ct: tuple[float, float]) -> "CoarseScan":
        """The thick scan of a pair, asked for its thin slices."""
        offsets_mm = Answered.of(pair).offsets_mm
        return cls(pair.thick, window(pair, ct), offsets_mm, pair.thin.grid.thickness_mm)

    def rows_along(self, axis: int) -> int:
        """Whole coarse rows, with the fine ones after each, that fit along y (0) or x (1)."""
        grid = self.scan.grid
        length_mm = (grid.shape[axis] - 1) * grid.pixel_mm[axis] - float(self.offsets_mm[-1])
        return 1 + int(np.floor(length_mm / grid.increment_mm + 1e-6))


class CoarseRows:
    """Draws batches (x_BCZW, distances_BKPQ, y_BKZW) of one scan, grey values in [0, 1].

    patch       coarse rows and pixels along them; fewer rows where a slice has fewer
    neighbours  planes to either side that a network is shown: here the slice again
    distances   see ``thick_planes``
    along       axes of axial slices that are made coarse: y (0), x (1), in turn
    fewest      coarse rows that a patch has at least

    Refused for a scan whose axial slices are smaller than so many thick increments.
    """

    def __init__(
        self,
        scans: Sequence[CoarseScan],
        patch: tuple[int, int],
        batch: int,
        neighbours: int,
        distances: Distances,
        along: Sequence[int] = (0, 1),
        fewest: int = 1,
    ):
        self.scans, self.patch, self.batch = scans, patch, batch
        self.neighbours, self.distances = neighbours, distances
        self.axes = [[axis for axis in along if scan.rows_along(axis) >= fewest] for scan in scans]
        for scan, axes in zip(scans, self.axes):
            if not axes:
                grid = scan.scan.grid
                times = "" if fewest == 1 else f"{fewest} times "
                raise Refused(
                    f"axial slices of {grid.shape} pixels of {grid.pixel_mm} mm are smaller than "
                    f"{times}the {grid.increment_mm:g} mm between slices: nothing can be "
                    "learned from them"
                )

    def __call__(self, rng: np.random.Generator) -> Batch:
        i = int(rng.integers(len(self.scans)))
        axis = int(rng.choice(self.axes[i]))
        drawn = [self._patch(self.scans[i], axis, rng) for _ in range(self.batch)]
        return tuple(
            torch.from_numpy(np.stack(part).astype(np.float32, copy=False)) for part in zip(*drawn)
        )

    def _patch(
        self, coarse: CoarseScan, axis: int, rng: np.random.Generator
    ) -> tuple[np.ndarray, ...]:
        grid = coarse.scan.grid
        depth, pixels = min(coarse.rows_along(axis), self.patch[0]), self.patch[1]
        z = int(rng.integers(grid.n))
        along = place(grid.shape[1 - axis], pixels, rng)
        yx = (slice(None), along) if axis == 0 else (along, slice(None))
        slice_YX = coarse.window.to_unit(coarse.scan.read(slice(z, z + 1), *yx)[0])
        slice_PQ = slice_YX if axis == 0 else slice_YX.T
        flips = tuple(slice(None, None, -1 if rng.random() < 0.5 else 1) for _ in range(2))
        x_ZW, y_KZW = _seen(coarse, slice_PQ[flips], axis, depth, rng.random())
        x_CZW = np.repeat(x_ZW[None], 2 * self.neighbours + 1, 0)
        across_mm = grid.pixel_mm[1 - axis]
        distances = self.distances(coarse.offsets_mm, grid.increment_mm, across_mm)
        return (
            filled(x_CZW, (len(x_CZW), depth, pixels)),
            distances,
            filled(y_KZW, (len(y_KZW), depth, pixels)),
        )


def _seen(
    coarse: CoarseScan, slice_PQ: np.ndarray, axis: int, depth: int, phase: float
) -> tuple[np.ndarray, np.ndarray]:
    """Coarse rows [Z, W] and the fine ones from each on [K, Z, W]; ``phase`` from 0 to 1."""
    grid, offsets_mm = coarse.scan.grid, coarse.offsets_mm
    pixel_mm, increment_mm = grid.pixel_mm[axis], grid.increment_mm
    pixels = line(len(slice_PQ), pixel_mm)
    n_fine = len(offsets_mm)
    room_mm = (pixels.n - 1) * pixel_mm - (depth - 1) * increment_mm - float(offsets_mm[-1])
    room_mm = max(room_mm, 0.0)
    edge_mm = min((max(grid.thickness_mm, pixel_mm) - pixel_mm) / 2, room_mm / 2)  # rows are whole
    start_mm = edge_mm + phase * (room_mm - 2 * edge_mm)
    made = []
    for n, step_mm, thickness_mm, first_mm in (
        (depth, increment_mm, grid.thickness_mm, start_mm),
        (
            depth * n_fine,
            increment_mm / n_fine,
            coarse.thickness_mm,
            start_mm + float(offsets_mm[0]),
        ),
    ):
        width_mm = max(thickness_mm, pixel_mm)
        rows = pixels.with_slices(
            n=n, increment_mm=step_mm, thickness_mm=width_mm, start_mm=first_mm
        )
        made.append(profile_matrix(box(width_mm), pixels, rows) @ slice_PQ)
    x_ZW, y_NW = made
    return x_ZW, np.moveaxis(y_NW.reshape(depth, n_fine, -1), 1, 0)
