"""Training planes: patches of coronal and sagittal planes, at the thin slices' positions.

The thick scan is interpolated to the thin slice centres, as it will be when a scan is restored; a
network learns what to add. Axial planes are never shown: they hold no through-plane detail.

Shape suffixes: B patches, 1 channel, Z slices, W columns (coronal) or rows (sagittal).
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from thinslice.interfaces import Pair
from thinslice.operators.interpolation import Kind
from thinslice.training.samplers.crops import filled, place, read_at, shift_mm, window

View = Literal["coronal", "sagittal"]
VIEWS: tuple[View, ...] = ("coronal", "sagittal")


class Planes:
    """Draws batches of (interpolated thick patch, thin patch) in [0, 1], the views in turn.

    side    (z, w) of a patch; None: whole planes, which must then be of one size in a batch
    """

    def __init__(
        self,
        pairs: Sequence[Pair],
        side: tuple[int, int] | None,
        batch: int,
        ct: tuple[float, float] = (-1024.0, 3071.0),
        kind: Kind = "cubic",
        flips: bool = True,
        views: Sequence[View] = VIEWS,
    ):
        self.pairs, self.side, self.batch = pairs, side, batch
        self.kind: Kind = kind
        self.flips, self.views = flips, views
        self.shifts_mm = [shift_mm(pair) for pair in pairs]
        self.windows = [window(pair, ct) for pair in pairs]

    def __len__(self) -> int:
        """Planes there are, of all scans and views."""
        axis = {"coronal": 0, "sagittal": 1}
        return sum(pair.thin.grid.shape[axis[view]] for pair in self.pairs for view in self.views)

    def __call__(self, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        """x_B1ZW and y_B1ZW of ``side``."""
        views = [self.views[b % len(self.views)] for b in range(self.batch)]
        crops = [self._crop(rng, coronal=view == "coronal") for view in views]
        x, y = (np.stack(part)[:, None] for part in zip(*crops))
        return torch.from_numpy(x), torch.from_numpy(y)

    def _crop(self, rng: np.random.Generator, coronal: bool) -> tuple[np.ndarray, np.ndarray]:
        i = int(rng.integers(len(self.pairs)))
        pair = self.pairs[i]
        n_y, n_x = pair.thin.grid.shape
        side = self.side or (pair.thin.grid.n, n_x if coronal else n_y)
        z = place(pair.thin.grid.n, side[0], rng)
        y = place(n_y, 1 if coronal else side[1], rng)
        x = place(n_x, side[1] if coronal else 1, rng)
        at_mm = pair.thin.grid.centres_mm()[z] - self.shifts_mm[i]
        thick = read_at(pair.thick, at_mm, y, x, self.kind)
        thin = pair.thin.read(z, y, x)
        flip = self.flips and rng.random() < 0.5
        both = []
        for block in (thick, thin):
            plane_ZW = self.windows[i].to_unit(block[:, 0] if coronal else block[:, :, 0])
            unit_ZW = filled(plane_ZW, side)
            both.append(np.ascontiguousarray(unit_ZW[:, ::-1] if flip else unit_ZW, np.float32))
        return both[0], both[1]
