"""Training cubes of an interpolated scan, and of the thin scan in the same voxels.

The thick scan is interpolated to the thin scan's voxels, in-plane too where its pixels are coarser,
as it will be when a scan is restored; a network learns what to add. Only the part of the thick scan
around a cube is read.

Shape suffixes: B crops, 1 channel, Z Y X axes.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from thinslice.interfaces import Pair, Scan
from thinslice.operators.grids import part
from thinslice.operators.interpolation import Kind, resample
from thinslice.training.samplers.crops import MARGIN, SAME_MM, filled, place, window
from thinslice.volume import Grid, Volume


class InterpolatedCubes:
    """Draws batches of (interpolated thick cube, thin cube) of ``side`` (z, y, x) in [0, 1]."""

    def __init__(
        self,
        pairs: Sequence[Pair],
        side: tuple[int, int, int],
        batch: int,
        ct: tuple[float, float] = (-1024.0, 3071.0),
        kind: Kind = "cubic",
        flips: bool = True,
    ):
        self.pairs, self.side, self.batch, self.flips = pairs, side, batch, flips
        self.kind: Kind = kind
        self.windows = [window(pair, ct) for pair in pairs]

    def __call__(self, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        """x_B1ZYX and y_B1ZYX of ``side``."""
        crops = [self._crop(rng) for _ in range(self.batch)]
        x, y = (np.stack(block)[:, None] for block in zip(*crops))
        return torch.from_numpy(x), torch.from_numpy(y)

    def _crop(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        i = int(rng.integers(len(self.pairs)))
        pair = self.pairs[i]
        z, y, x = (place(n, s, rng) for n, s in zip(pair.thin.grid.zyx, self.side))
        flip = self.flips and rng.random() < 0.5
        sizes = (z.stop - z.start, y.stop - y.start, x.stop - x.start)
        grid = part(pair.thin.grid, (z.start, y.start, x.start), sizes)
        both = []
        for block in (interpolated(pair.thick, grid, self.kind), pair.thin.read(z, y, x)):
            unit = filled(self.windows[i].to_unit(block), self.side)
            both.append(np.ascontiguousarray(unit[..., ::-1] if flip else unit, np.float32))
        return both[0], both[1]


def interpolated(scan: Scan, grid: Grid, kind: Kind) -> np.ndarray:
    """The voxels of ``grid``, interpolated from as few of the scan's voxels as they need.

    ValueError where the axes of the two point different ways.
    """
    first, sizes = around(scan.grid, grid)
    z, y, x = (slice(start, start + n) for start, n in zip(first, sizes))
    block = Volume(scan.read(z, y, x), part(scan.grid, first, sizes), scan.modality)
    return resample(block, grid, kind).voxels


def around(source: Grid, grid: Grid) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
    """First index and size of the block of ``source`` that ``grid`` is interpolated from."""
    to_index = np.linalg.inv(source.affine()) @ grid.affine()
    corners = to_index @ np.array([[0, 0, 0, 1], [*(n - 1 for n in grid.zyx), 1]], float).T
    lengths = (source.increment_mm, *source.pixel_mm)
    steps = (grid.increment_mm, *grid.pixel_mm)
    spans = []
    for axis, n in enumerate(source.zyx):
        low, high = sorted(corners[axis])
        off_mm = max(abs(at - np.rint(at)) for at in (low, high)) * lengths[axis]
        there = off_mm <= SAME_MM and abs(lengths[axis] - steps[axis]) <= SAME_MM
        margin = 0 if there else MARGIN
        start = int(np.clip(np.floor(low + SAME_MM) - margin, 0, n - 1))
        spans.append((start, int(np.clip(np.ceil(high - SAME_MM) + margin, start, n - 1)) + 1))
    (z, z_end), (y, y_end), (x, x_end) = spans
    return (z, y, x), (z_end - z, y_end - y, x_end - x)
