"""Means over in-plane blocks: what is left of slices without noise and kernel.

Averaged over blocks of some millimetres, scanner noise is small and two kernels look alike, while
along z nothing changes: profiles of slices are compared there.
"""

from typing import NamedTuple

import numpy as np

from thinslice.interfaces import Scan

BLOCK_MM = 8.0


class Blocks(NamedTuple):
    """Block means of a scan, and which blocks hold padding."""

    means: np.ndarray  # float64 [Z, blocks of y, blocks of x]
    padded: np.ndarray  # boolean, of the same shape


def sides(pixel_mm: tuple[float, float]) -> tuple[int, int]:
    """Pixels (y, x) of a block."""
    y, x = (max(1, round(BLOCK_MM / mm)) for mm in pixel_mm)
    return y, x


def block_means(scan: Scan) -> Blocks:
    """The block means of a scan; blocks at the far edges may be smaller."""
    means, padded = [], []
    for k in range(scan.grid.n):
        z = slice(k, k + 1)
        means.append(means_of(scan.read(z)[0], scan.grid.pixel_mm))
        mask = scan.padded(z)
        none = mask is None
        padded.append(np.zeros(means[-1].shape, bool) if none else
                      means_of(mask[0], scan.grid.pixel_mm) > 0)  # fmt: skip
    return Blocks(np.stack(means), np.stack(padded))


def means_of(slice_YX: np.ndarray, pixel_mm: tuple[float, float]) -> np.ndarray:
    """The block means of one slice [Y, X]; of a boolean one the share that is true."""
    sums, counts = np.asarray(slice_YX, float), []
    for axis, side in enumerate(sides(pixel_mm)):
        starts = np.arange(0, slice_YX.shape[axis], side)
        sums = np.add.reduceat(sums, starts, axis=axis)
        counts.append(np.diff([*starts, slice_YX.shape[axis]]))
    return sums / np.outer(*counts)
