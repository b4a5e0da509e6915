"""Axial slices and the same turned, scaled and bent: the place of every pixel is known.

A batch is of patches of thick axial slices, which are fine along both axes (references), of the
same patches under a random homography, and of these made as coarse along rows as planes are along
z. Places are counted on the pixels of features, a quarter of the size.

Source: the training pairs of Jiang et al. (C2-Matching, CVPR 2021), whose images are coarse along
both axes; how far they turn and scale is ours.

Shape suffixes: B patches, Y X in-plane, H W a quarter of them.
"""

from collections.abc import Sequence

import numpy as np
import torch
from scipy.ndimage import map_coordinates

from thinslice.interfaces import Pair
from thinslice.nets.contrastive import SAFE, SHRINKS
from thinslice.operators.reference_slices import thick_rows
from thinslice.training.batches import Batch
from thinslice.training.samplers.crops import filled, place, window

TURN = np.pi / 6  # to either side, at most
SCALE = 1.25  # larger or smaller, at most
SHIFT = 0.1  # of a side, of each corner for itself


class WarpedSlices:
    """Draws batches (fine_B1YX, coarse_B1YX, reference_B1YX, numbers_BHW)."""

    def __init__(self, pairs: Sequence[Pair], side: int, batch: int, ct: tuple[float, float]):
        refuse_side(side)
        self.pairs, self.side, self.batch = pairs, side, batch
        self.windows = [window(pair, ct) for pair in pairs]

    def __call__(self, rng: np.random.Generator) -> Batch:
        drawn = [self._draw(rng) for _ in range(self.batch)]
        *images, numbers = (torch.from_numpy(np.stack(part)) for part in zip(*drawn))
        return (*(image_BYX[:, None] for image_BYX in images), numbers)

    def _draw(self, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
        i = int(rng.integers(len(self.pairs)))
        thick, thin = self.pairs[i].thick, self.pairs[i].thin
        k = int(rng.integers(thick.grid.n))
        y, x = (place(n, self.side, rng) for n in thick.grid.shape)
        patch_YX = self.windows[i].to_unit(thick.read(slice(k, k + 1), y, x))[0]
        reference_YX = filled(patch_YX, (self.side, self.side)).astype(np.float32)
        bent = homography(self.side, rng)
        fine_YX = map_coordinates(reference_YX, _sent(bent, self.side), order=1, mode="mirror")
        coarse_YX = thick_rows(self.side, thick.grid, thin.grid) @ fine_YX
        return fine_YX, coarse_YX.astype(np.float32), reference_YX, places(bent, self.side)


def refuse_side(side: int) -> None:
    """ValueError for patches whose features do not fit, or have no place far from another."""
    least = 2 * SAFE * SHRINKS
    if side % SHRINKS or side < least:
        raise ValueError(f"side is a multiple of {SHRINKS} from {least} on, found {side}")


def homography(side: int, rng: np.random.Generator) -> np.ndarray:
    """[3, 3], from pixels (y, x, 1) of a turned image to those of the image."""
    corners = np.array([[0.0, 0], [0, side], [side, side], [side, 0]])
    angle, size = rng.uniform(-TURN, TURN), SCALE ** rng.uniform(-1, 1)
    turn = size * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    sent = side / 2 + (corners - side / 2) @ turn.T
    sent += rng.uniform(-SHIFT, SHIFT, (4, 2)) * side
    equations, answers = [], []
    for (y, x), (v, u) in zip(corners, sent):
        equations += [[y, x, 1, 0, 0, 0, -v * y, -v * x], [0, 0, 0, y, x, 1, -u * y, -u * x]]
        answers += [v, u]
    return np.append(np.linalg.solve(equations, answers), 1.0).reshape(3, 3)


def places(bent: np.ndarray, side: int) -> np.ndarray:
    """Of each pixel of the turned image's features its place's number; -1 where it is outside."""
    n = side // SHRINKS
    middle = (SHRINKS - 1) / 2
    sent = (_sent(bent, side, middle + SHRINKS * np.arange(n)) - middle) / SHRINKS
    rows, columns = np.rint(sent).astype(int)
    inside = (np.minimum(rows, columns) >= 0) & (np.maximum(rows, columns) < n)
    return np.where(inside, rows * n + columns, -1)


def _sent(bent: np.ndarray, side: int, at: np.ndarray | None = None) -> np.ndarray:
    """Where pixels (y, x) of these rows and columns come from, [2, n, n]."""
    at = np.arange(side, dtype=float) if at is None else at
    y, x = np.meshgrid(at, at, indexing="ij")
    v, u, scale = np.einsum("ij,jyx->iyx", bent, np.stack([y, x, np.ones_like(y)]))
    return np.stack([v / scale, u / scale])
