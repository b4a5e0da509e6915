"""Training patches of the thick scans themselves, and the native slices that tile them.

A through-plane network makes r native slices of every thick slice: they lie side by side over the
thick increment, (j + 0.5) / r - 0.5 increments from the thick centre. The truth there is the thin
scan itself where it has slices at these positions, else its cubic spline. A blur of coarse patches
is a blur of the thick ones; one of fine patches has nothing here to act on.

Shape suffixes: P and Q a patch's axes, z and x (coronal) or y (sagittal).
"""

from collections.abc import Sequence

import numpy as np
from torch import Tensor

from thinslice.errors import Refused
from thinslice.interfaces import Pair
from thinslice.operators import imresize
from thinslice.training.samplers.crops import SAME_MM, filled, place, read_at, shift_mm, window
from thinslice.training.samplers.shrunk_patches import (
    LEVELS,
    Blur,
    Finish,
    Patch,
    PatchShape,
    as_they_are,
    bright,
    side_by_side,
    tensors,
)


class NativePatches:
    """Draws batches of (thick patch, native patch) from pairs whose pixels are the same.

    Arguments as of ``ShrunkPatches``. ValueError if no thick slice of a pair is covered by its thin
    ones, or pixels differ.
    """

    def __init__(
        self,
        pairs: Sequence[Pair],
        shape: PatchShape,
        batch: int,
        ct: tuple[float, float],
        blur: Blur,
        least: float = 0.0,
        finish: Finish = as_they_are,
    ):
        self.pairs, self.shape, self.batch = pairs, shape, batch
        self.blur, self.least, self.finish = blur, least, finish
        self.windows = [window(pair, ct) for pair in pairs]
        self.covered = [covered(pair, shape.scale[0]) for pair in pairs]

    def __len__(self) -> int:
        """Patches of an epoch, as of ``ShrunkPatches``; thick slices count that are covered."""
        side = self.shape.side
        sizes = [
            (last + 1 - first, *pair.thick.grid.shape)
            for pair, (first, last) in zip(self.pairs, self.covered)
        ]
        return sum(side_by_side(zyx, self.shape, (side, side)) for zyx in sizes)

    def __call__(self, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        """x_B1PQ of ``side`` pixels and y_B1PQ of ``scale[0]`` times as many along z."""
        views, drawn = self.shape.views, []
        for b in range(self.batch):
            view = views[b % len(views)]
            drawn.append(bright(lambda view=view: self._patch(view, rng), self.least))
        x, y = (np.stack(part) for part in zip(*drawn))
        if self.blur.of == "coarse":
            x = self.blur(x, self.blur.sigmas(len(x), rng))
        return tensors(*self.finish(x, y, rng))

    def _patch(self, view: int, rng: np.random.Generator) -> Patch:
        i = int(rng.integers(len(self.pairs)))
        pair, side, factor = self.pairs[i], self.shape.side, self.shape.scale[0]
        first, last = self.covered[i]
        z = place(last + 1 - first, side, rng)
        z = slice(first + z.start, first + z.stop)
        y, x = (
            place(n, 1 if axis == view else side, rng)
            for axis, n in zip((1, 2), pair.thick.grid.shape)
        )
        at_mm = native_mm(pair, factor)[z.start * factor : z.stop * factor]
        blocks = pair.thick.read(z, y, x), read_at(pair.thin, at_mm, y, x)
        coarse, fine = (LEVELS * self.windows[i].to_unit(b.take(0, view)) for b in blocks)
        return filled(coarse, (side, side)), filled(fine, self.shape.fine)


def native_mm(pair: Pair, factor: int) -> np.ndarray:
    """Where the native slices of all thick slices lie, in the thin scan's mm."""
    thick = pair.thick.grid
    at = imresize.centres(thick.n * factor, 1 / factor)  # in thick slices
    return thick.start_mm + shift_mm(pair) + at * thick.increment_mm


def covered(pair: Pair, factor: int) -> tuple[int, int]:
    """First and last thick slice whose native slices all lie within the thin ones."""
    first, last = pair.thin.grid.centres_mm()[[0, -1]]
    at_mm = native_mm(pair, factor).reshape(-1, factor)
    inside = np.flatnonzero((at_mm[:, 0] >= first - SAME_MM) & (at_mm[:, -1] <= last + SAME_MM))
    if not len(inside):
        raise Refused(
            f"{pair.case}: no thick slice lies wholly on the thin scan, {first:g} to {last:g} mm"
        )
    return int(inside[0]), int(inside[-1])
