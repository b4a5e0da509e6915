"""Training planes: patches of coronal and sagittal planes, at the thin slices' positions.

The thick scan is interpolated to the thin slice centres, as it will be when a scan is restored; a
network learns what to add. Axial planes are never shown: they hold no through-plane detail.

Shape suffixes: B patches, 1 channel, Z slices, W columns (coronal) or rows (sagittal).
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from thinslice.resampling import Kind
from thinslice.seams import Pair
from thinslice.training.crops import filled, place, read_at, shift_mm, window


class Planes:
    """Draws batches of (interpolated thick patch, thin patch) in [0, 1], half of each view."""

    def __init__(
        self,
        pairs: Sequence[Pair],
        side: tuple[int, int],
        batch: int,
        ct: tuple[float, float] = (-1024.0, 3071.0),
        kind: Kind = "cubic",
        flips: bool = True,
    ):
        self.pairs, self.side, self.batch = pairs, side, batch
        self.kind: Kind = kind
        self.flips = flips
        self.shifts_mm = [shift_mm(pair) for pair in pairs]
        self.windows = [window(pair, ct) for pair in pairs]

    def __call__(self, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        """x_B1ZW and y_B1ZW of ``side``."""
        crops = [self._crop(rng, coronal=b % 2 == 0) for b in range(self.batch)]
        x, y = (np.stack(part)[:, None] for part in zip(*crops))
        return torch.from_numpy(x), torch.from_numpy(y)

    def _crop(self, rng: np.random.Generator, coronal: bool) -> tuple[np.ndarray, np.ndarray]:
        i = int(rng.integers(len(self.pairs)))
        pair = self.pairs[i]
        n_y, n_x = pair.thin.grid.shape
        z = place(pair.thin.grid.n, self.side[0], rng)
        y = place(n_y, 1 if coronal else self.side[1], rng)
        x = place(n_x, self.side[1] if coronal else 1, rng)
        at_mm = pair.thin.grid.centres_mm()[z] - self.shifts_mm[i]
        thick = read_at(pair.thick, at_mm, y, x, self.kind)
        thin = pair.thin.read(z, y, x)
        flip = self.flips and rng.random() < 0.5
        both = []
        for block in (thick, thin):
            plane_ZW = self.windows[i].to_unit(block[:, 0] if coronal else block[:, :, 0])
            unit_ZW = filled(plane_ZW, self.side)
            both.append(np.ascontiguousarray(unit_ZW[:, ::-1] if flip else unit_ZW, np.float32))
        return both[0], both[1]
