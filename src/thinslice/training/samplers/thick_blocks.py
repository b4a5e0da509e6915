"""Training blocks of thick scans alone: every second slice, and those between.

What is between is a truth that a thick scan holds for coarser slices of its own; the thin slices of
a pair are never looked at.

Shape suffixes: B blocks, 1 channel, Z slices, M the slices between them, Y X in-plane.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from thinslice.errors import Refused
from thinslice.interfaces import Pair
from thinslice.training.samplers.crops import filled, place, window

FEWEST = 3  # slices of which one is between two


class ThickBlocks:
    """Draws batches of (every second slice x_B1ZYX, the slices between y_B1MYX) in [0, 1].

    depth   slices of a block, an odd number; fewer where a scan has fewer
    side    pixels along y and x

    Refused for a scan of less than three slices.
    """

    def __init__(
        self,
        pairs: Sequence[Pair],
        depth: int,
        side: int,
        batch: int,
        ct: tuple[float, float],
        flips: bool = True,
    ):
        for pair in pairs:
            if pair.thick.grid.n < FEWEST:
                raise Refused(
                    f"{pair.case}: found {pair.thick.grid.n} thick slices; expected at least "
                    f"{FEWEST}, to have one between two; leave the case out"
                )
        self.pairs, self.side, self.batch, self.flips = pairs, side, batch, flips
        fewest = min(pair.thick.grid.n for pair in pairs)
        self.depth = min(depth, fewest - 1 + fewest % 2)
        self.windows = [window(pair, ct) for pair in pairs]

    def __call__(self, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        blocks = torch.from_numpy(np.stack([self._block(rng) for _ in range(self.batch)])[:, None])
        return blocks[:, :, ::2], blocks[:, :, 1::2]

    def _block(self, rng: np.random.Generator) -> np.ndarray:
        i = int(rng.integers(len(self.pairs)))
        scan = self.pairs[i].thick
        sides = (self.depth, self.side, self.side)
        z, y, x = (place(n, side, rng) for n, side in zip(scan.grid.zyx, sides))
        whole = filled(self.windows[i].to_unit(scan.read(z, y, x)), sides)
        flips = tuple(
            slice(None, None, -1 if self.flips and rng.random() < 0.5 else 1) for _ in range(3)
        )
        return np.ascontiguousarray(whole[flips], np.float32)
