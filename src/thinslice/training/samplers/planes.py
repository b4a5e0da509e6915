"""Training planes: patches of coronal and sagittal planes, at the thin slices' positions.

The thick scan is interpolated to the thin slice centres, as it will be when a scan is restored; a
network learns what to add. Axial planes are never shown: they hold no through-plane detail. Of the
thick scan the planes beside a patch may be shown too, as channels; past the scan's edge its last
plane is repeated.

Shape suffixes: B patches, C channels, Z slices, W columns (coronal) or rows (sagittal).
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

    side        (z, w) of a patch; None: whole planes, which must then be of one size in a batch
    neighbours  planes to either side of the thick patch that are shown beside it
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
        neighbours: int = 0,
    ):
        self.pairs, self.side, self.batch = pairs, side, batch
        self.kind: Kind = kind
        self.flips, self.views, self.neighbours = flips, views, neighbours
        self.shifts_mm = [shift_mm(pair) for pair in pairs]
        self.windows = [window(pair, ct) for pair in pairs]

    def __len__(self) -> int:
        """Planes there are, of all scans and views."""
        axis = {"coronal": 0, "sagittal": 1}
        return sum(pair.thin.grid.shape[axis[view]] for pair in self.pairs for view in self.views)

    def __call__(self, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        """x_BCZW and y_B1ZW of ``side``; C is 1 and twice the neighbours."""
        views = [self.views[b % len(self.views)] for b in range(self.batch)]
        crops = [self._crop(rng, coronal=view == "coronal") for view in views]
        x, y = (np.stack(part) for part in zip(*crops))
        return torch.from_numpy(x), torch.from_numpy(y)

    def _crop(self, rng: np.random.Generator, coronal: bool) -> tuple[np.ndarray, np.ndarray]:
        i = int(rng.integers(len(self.pairs)))
        pair = self.pairs[i]
        n_y, n_x = pair.thin.grid.shape
        side = self.side or (pair.thin.grid.n, n_x if coronal else n_y)
        z = place(pair.thin.grid.n, side[0], rng)
        y = place(n_y, 1 if coronal else side[1], rng)
        x = place(n_x, side[1] if coronal else 1, rng)
        flip = self.flips and rng.random() < 0.5
        at_mm = pair.thin.grid.centres_mm()[z] - self.shifts_mm[i]
        across = 1 if coronal else 2
        block, planes = self._beside((y, x)[across - 1], (n_y, n_x)[across - 1])
        thick = read_at(pair.thick, at_mm, *((block, x) if coronal else (y, block)), self.kind)
        both = []
        for scan in (thick.take(planes, across), pair.thin.read(z, y, x)):
            planes_CZW = np.moveaxis(self.windows[i].to_unit(scan), across, 0)
            unit_CZW = np.stack([filled(plane_ZW, side) for plane_ZW in planes_CZW])
            both.append(np.ascontiguousarray(unit_CZW[..., ::-1] if flip else unit_CZW, np.float32))
        return both[0], both[1]

    def _beside(self, plane: slice, n: int) -> tuple[slice, np.ndarray]:
        """The planes to read around one of ``n``, and which of them its channels are."""
        at = np.arange(plane.start - self.neighbours, plane.stop + self.neighbours).clip(0, n - 1)
        return slice(int(at[0]), int(at[-1]) + 1), at - at[0]
