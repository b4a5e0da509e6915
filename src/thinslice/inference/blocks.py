"""Change a scan block by block, where a block's answer is a computation of its own.

Blocks overlap along all three axes and are crossfaded. A block is told where it lies, so that what
it draws at random can depend on the place alone. Beyond the scan its last voxels are repeated.

Shape suffixes: Z Y X.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

import numpy as np

from thinslice.inference import tiling
from thinslice.interfaces import Run
from thinslice.runtime.progress import Progress

Place = tuple[np.ndarray, np.ndarray, np.ndarray]  # positions (z, y, x), some past the scan's end
Answer = Callable[[np.ndarray, Place], np.ndarray]  # a block [Z, Y, X] and its place, to a block


@dataclass(frozen=True)
class Blocks:
    """Sizes of blocks, in voxels."""

    size: tuple[int, int, int]  # (z, y, x), at most
    halo: int = 8  # of a block's inner faces that are thrown away
    blend: int = 4  # beside them, over which neighbours are crossfaded
    align: int = 8  # blocks start and end at multiples of it

    def axes(self, zyx: tuple[int, int, int]) -> list[tiling.Axis]:
        """Where blocks lie along each axis of a scan, continued to multiples of ``align``."""
        return [
            tiling.axis(
                tiling.rounded_up(n, self.align),
                tiling.rounded_up(size, self.align),
                self.halo,
                self.blend,
                self.align,
                tiling.crossfade,
            )
            for n, size in zip(zyx, self.size)
        ]


def changed(
    voxels_ZYX: np.ndarray, blocks: Blocks, answer: Answer, *, run: Run | None = None
) -> np.ndarray:
    """Every block's ``answer`` put together, float32 [Z, Y, X]."""
    out_ZYX = np.full(voxels_ZYX.shape, 0, np.float32)
    axes = blocks.axes(voxels_ZYX.shape)  # type: ignore[arg-type]
    places = list(product(*(range(len(axis.starts)) for axis in axes)))
    shown = run is None or run.progress
    with Progress(len(places), "restoring", "block", shown=shown) as progress:
        for numbers in places:
            at = tuple(a.starts[k] + np.arange(a.length) for a, k in zip(axes, numbers))
            inside = [p.clip(0, n - 1) for p, n in zip(at, voxels_ZYX.shape)]
            made_ZYX = answer(voxels_ZYX[np.ix_(*inside)], at)  # type: ignore[arg-type]
            have = [int((p < n).sum()) for p, n in zip(at, voxels_ZYX.shape)]
            here = tuple(slice(p[0], p[0] + n) for p, n in zip(at, have))
            z, y, x = (a.shares[k][:n].astype(np.float32) for a, k, n in zip(axes, numbers, have))
            part_ZYX = made_ZYX[: have[0], : have[1], : have[2]]
            out_ZYX[here] += part_ZYX * z[:, None, None] * y[:, None] * x
            progress.advance()
    return out_ZYX
