"""Training pairs from a scan's own axial slices: as seen through thick slices, and as they are.

An axial slice is fine along both of its axes. Degraded along y it looks like a coronal plane,
degraded along x like a sagittal one; the latter is turned by 90 degrees, so that what a network
undoes always lies along the rows. Z slices make 2 Z pairs. Degrading is one matrix per axis, down
to thick rows and linearly up again, so a crop costs the rows and columns that it has.

Source: Shi et al. 2023, section 2, equation 1. Differs: a step's pairs are drawn anew, not in
shuffled epochs, so that a step depends on the seed and its number alone; those of one step are all
degraded along the same axis, so that whole slices of any shape can be stacked.

Shape suffixes: B pairs, 1 channel, P rows (degraded along), Q columns; Z Y X the scan's.
"""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from thinslice.training.samplers.crops import place


class Moments(NamedTuple):
    """Mean and standard deviation of the (degraded, own) images of all pairs."""

    mean: tuple[float, float]
    std: tuple[float, float]


class AxialPairs:
    """Draws batches of (degraded, own) axial images.

    slices_ZYX   the axial slices, as the network sees values
    along_y      [Y, Y], what degrading along y does to a column; along_x [X, X], to a row
    crop         side of a crop, whole images where they are smaller; None: whole images
    clips        cut a degraded image to the range of its slice, where its ends extrapolate
    """

    def __init__(
        self,
        slices_ZYX: np.ndarray,
        along_y: np.ndarray,
        along_x: np.ndarray,
        *,
        crop: int | None,
        batch: int,
        clips: bool = False,
    ):
        self.slices_ZYX = slices_ZYX
        # Turning an image reverses its x axis, so its matrix is reversed with it.
        turned_XX = along_x[::-1, ::-1]
        self.degrading = [np.ascontiguousarray(m, np.float32) for m in (along_y, turned_XX)]
        self.crop, self.batch, self.clips = crop, batch, clips

    def __len__(self) -> int:
        return 2 * len(self.slices_ZYX)

    def __call__(self, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        """x_B1PQ and y_B1PQ."""
        first = len(self.slices_ZYX) * int(rng.integers(2))
        chosen = first + rng.integers(len(self.slices_ZYX), size=self.batch)
        crops = [self._crop(int(i), rng) for i in chosen]
        x, y = (np.stack(part)[:, None] for part in zip(*crops))
        return torch.from_numpy(x), torch.from_numpy(y)

    def whole(self, i: int) -> tuple[np.ndarray, np.ndarray]:
        """Pair ``i``, uncropped: the first half degraded along y, the second along x and turned."""
        own_PQ = self._own(i)
        return self._degraded(i, own_PQ, slice(None), slice(None)), own_PQ

    def moments(self) -> Moments:
        """Over all pairs, which are made one by one."""
        sums = np.zeros((2, 2))
        for i in range(len(self)):
            pair = self.whole(i)
            sums += [[np.mean(a, dtype=float), np.mean(np.square(a, dtype=float))] for a in pair]
        (mean_x, square_x), (mean_y, square_y) = sums / len(self)
        spread = [max(s - m**2, 0.0) ** 0.5 for m, s in ((mean_x, square_x), (mean_y, square_y))]
        return Moments((float(mean_x), float(mean_y)), (spread[0], spread[1]))

    def _own(self, i: int) -> np.ndarray:
        horizontal, z = divmod(i, len(self.slices_ZYX))
        return upright(self.slices_ZYX[z], bool(horizontal))

    def _degraded(self, i: int, own_PQ: np.ndarray, p: slice, q: slice) -> np.ndarray:
        degrading_PP = self.degrading[i // len(self.slices_ZYX)]
        out_PQ = degrading_PP[p] @ own_PQ[:, q]
        return out_PQ.clip(own_PQ.min(), own_PQ.max()) if self.clips else out_PQ

    def _crop(self, i: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        own_PQ = self._own(i)
        p, q = (place(n, self.crop or n, rng) for n in own_PQ.shape)
        return self._degraded(i, own_PQ, p, q), np.ascontiguousarray(own_PQ[p, q])


def upright(image_YX: np.ndarray, horizontal: bool) -> np.ndarray:
    """The image with the axis that it is degraded along in its rows: turned, if horizontal."""
    return np.ascontiguousarray(np.rot90(image_YX) if horizontal else image_YX, np.float32)


def spread_over(n: int, at_most: int | None) -> np.ndarray:
    """Indices of at most so many slices out of ``n``, evenly spread, the ends among them."""
    if at_most is None or at_most >= n:
        return np.arange(n)
    return np.linspace(0, n - 1, at_most).round().astype(int)
