"""What three views learn from thick scans alone: blocks of slices, and axial slices made coarse.

Along z nobody has seen more than thick slices; along y and x their pixels are fine already. So an
axial slice made coarse along y is a coronal plane whose truth is known, and one made coarse along x
a sagittal one (``coarse_rows``). Thin slices are never looked at, only how far apart and how thick
they are.

Shape suffixes: B, 1 channel, Z slices or coarse rows, N fine rows, Y X in-plane, W along rows, P
pixels of all rows.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from thinslice.interfaces import Pair
from thinslice.nets.fang import inside
from thinslice.training.batches import Batch
from thinslice.training.samplers.coarse_rows import CoarseRows, CoarseScan
from thinslice.training.samplers.crops import window
from thinslice.training.samplers.thick_blocks import ThickBlocks

FEWEST = 2  # coarse rows, to have fine ones between


class CrossViews:
    """Draws (even_B1ZYX, odd_B1MYX, along_y_B1ZW, along_x_B1ZW, fine_BP), all in [0, 1].

    Every second slice of a block and those between; coarse rows; and, in one line, the fine rows of
    those along y, then of those along x.

    Scans too narrow for FEWEST coarse rows along one axis give rows along the other to both views;
    Refused where they are along both.

    patch      coarse rows of an axial slice, fewer where it has fewer, and pixels along them
    patches    how many, along each axis
    halvings   of the rows' distance; coarse rows are as far apart as the scan's slices, and as
               thick; fine ones lie between and are as thick as the pair's thin slices, or pixels
    """

    def __init__(
        self,
        pairs: Sequence[Pair],
        blocks: ThickBlocks,
        patch: tuple[int, int],
        patches: int,
        halvings: int,
        ct: tuple[float, float],
    ):
        self.blocks, self.fine = blocks, 2**halvings
        scans = [self._scan(pair, ct) for pair in pairs]
        self.along_y, self.along_x = (
            CoarseRows(scans, patch, patches, 0, _no_distances, _axes(scans, axis), FEWEST)
            for axis in (0, 1)
        )

    def __call__(self, rng: np.random.Generator) -> Batch:
        return *self.blocks(rng), *self.in_plane(rng)

    def in_plane(self, rng: np.random.Generator) -> Batch:
        """Without the blocks."""
        drawn = [self._rows(draw(rng)) for draw in (self.along_y, self.along_x)]
        coarse, fine = zip(*drawn)
        return *coarse, torch.cat([rows.flatten(1) for rows in fine], 1)

    def _scan(self, pair: Pair, ct: tuple[float, float]) -> CoarseScan:
        grid = pair.thick.grid
        offsets_mm = np.arange(self.fine) * (grid.increment_mm / self.fine)
        return CoarseScan(pair.thick, window(pair, ct), offsets_mm, pair.thin.grid.thickness_mm)

    def _rows(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Coarse rows, and the fine ones between them that have enough around them, in order."""
        x_B1ZW, _, y_BKZW = batch
        fine_BNW = y_BKZW.transpose(1, 2).flatten(1, 2)
        last = (x_B1ZW.shape[2] - 1) * self.fine
        return x_B1ZW, inside(fine_BNW[:, None, : last + 1], x_B1ZW.shape[2])


def _axes(scans: Sequence[CoarseScan], axis: int) -> list[int]:
    """An axis alone; where a scan is too narrow along it, whichever is long enough."""
    return [axis] if all(scan.rows_along(axis) >= FEWEST for scan in scans) else [0, 1]


def _no_distances(offsets_mm: np.ndarray, increment_mm: float, pixel_mm: float) -> np.ndarray:
    """Networks of three views are told none."""
    return np.zeros(1, np.float32)
