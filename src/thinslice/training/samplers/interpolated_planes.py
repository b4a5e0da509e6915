"""Training planes of an interpolated scan, and of the thin scan in the same pixels.

The thick scan is interpolated to the thin scan's voxels, in-plane too where its pixels are coarser,
as it will be when a scan is restored; a network learns what to add. Only the part of the thick scan
around a patch is read.

Shape suffixes: B patches, C channels, P and Q the axes of a plane (z, then x or y; y, then x where
it is axial).
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from thinslice.interfaces import Pair
from thinslice.operators.grids import part
from thinslice.operators.interpolation import Kind
from thinslice.training.samplers.crops import filled, place, window, window_of_scan
from thinslice.training.samplers.interpolated_cubes import interpolated
from thinslice.volume import Window


class InterpolatedPlanes:
    """Draws batches of (interpolated thick patch, thin patch) in [0, 1].

    side     (p, q) pixels of a patch
    across   the axes of [Z, Y, X] that planes are stacked along, in turn
    second   whether the thick scan's second contrast, in the same pixels, is a channel beside it
    """

    def __init__(
        self,
        pairs: Sequence[Pair],
        side: tuple[int, int],
        batch: int,
        ct: tuple[float, float],
        across: Sequence[int],
        kind: Kind = "cubic",
        flips: bool = True,
        second: bool = False,
    ):
        self.pairs, self.side, self.batch = pairs, side, batch
        self.across, self.flips = across, flips
        self.kind: Kind = kind
        self.windows = [window(pair, ct) for pair in pairs]
        self.seconds = [pair.thick.second if second else None for pair in pairs]
        self.second_windows = [None if s is None else window_of_scan(s, ct) for s in self.seconds]

    def __call__(self, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        """x_BCPQ and y_B1PQ of ``side``."""
        patches = [self._patch(self.across[b % len(self.across)], rng) for b in range(self.batch)]
        x, y = (np.stack(part) for part in zip(*patches))
        return torch.from_numpy(x), torch.from_numpy(y)

    def _patch(self, across: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        i = int(rng.integers(len(self.pairs)))
        pair = self.pairs[i]
        sides = list(self.side)
        sides.insert(across, 1)
        z, y, x = (place(n, side, rng) for n, side in zip(pair.thin.grid.zyx, sides))
        flip = self.flips and rng.random() < 0.5
        sizes = (z.stop - z.start, y.stop - y.start, x.stop - x.start)
        grid = part(pair.thin.grid, (z.start, y.start, x.start), sizes)
        seen = [(interpolated(pair.thick, grid, self.kind), self.windows[i])]
        second, its_window = self.seconds[i], self.second_windows[i]
        if second is not None and its_window is not None:
            seen.append((interpolated(second, grid, self.kind), its_window))
        x_CPQ = [self._unit(block.squeeze(across), of, flip) for block, of in seen]
        truth = pair.thin.read(z, y, x).squeeze(across)
        return np.stack(x_CPQ), self._unit(truth, self.windows[i], flip)[None]

    def _unit(self, block_PQ: np.ndarray, of: Window, flip: bool) -> np.ndarray:
        unit_PQ = filled(of.to_unit(block_PQ), self.side)
        return np.ascontiguousarray(unit_PQ[:, ::-1] if flip else unit_PQ, np.float32)
