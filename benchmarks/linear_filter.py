"""The best linear filter from thick to thin slices: what a network has to beat to be worth one.

Every native slice between two thick ones (each ``factor``-th part of the increment) is a weighted
sum of the pixels around it in ``depth`` thick slices, one set of weights for each offset, found by
ridge regression on all training pairs; elsewhere the answer is the native slices' cubic spline.

Shape suffixes: N voxels, P pixels of a window and one constant, K offsets.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from thinslice.families.cube import factor_of
from thinslice.interfaces import Pair, Run, Scan
from thinslice.operators.interpolation import resample_z
from thinslice.training.samplers.crops import read_at, shift_mm
from thinslice.volume import Grid, Volume

DEPTH, SIDE = 6, 7  # thick slices and pixels of a window
GREY_HU = 1000.0  # the unit of the regression
RIDGE = 1e-6  # of the mean square of a window's pixels


@dataclass(frozen=True)
class LinearFilter:
    """Weights of grey values, one column for each offset from a thick slice towards the next."""

    table: np.ndarray  # [P, K]

    @property
    def parameters(self) -> int:
        """Numbers learned."""
        return self.table.size

    @classmethod
    def fit(cls, pairs: Sequence[Pair], every: int = 2) -> "LinearFilter":
        """By least squares over every so many rows and columns; one factor for all pairs."""
        factor = factor_of(pairs[0].thick.grid, pairs[0].thin.grid)
        size = DEPTH * SIDE**2 + 1
        gram_PP, moments_PK, n = np.zeros((size, size)), np.zeros((size, factor)), 0
        for pair in pairs:
            for x_NP, y_NK in _equations(pair, factor, every):
                gram_PP += x_NP.T @ x_NP
                moments_PK += x_NP.T @ y_NK
                n += len(x_NP)
        penalty_P = np.full(size, RIDGE * np.trace(gram_PP) / size)
        penalty_P[-1] = 0.0
        return cls(np.linalg.solve(gram_PP + np.diag(penalty_P), moments_PK))

    def restore(self, thick: Volume, grid: Grid, run: Run | None = None) -> Volume:
        """``thick`` on ``grid``, whose pixels are the same; ends are their slices repeated."""
        n, factor = thick.grid.n, self.table.shape[1]
        padded_ZYX = _padded(thick)
        gaps = [_windows(padded_ZYX, k, 1) @ self.table for k in range(-1, n)]
        native_KYX = np.concatenate([gap.T.reshape(factor, *thick.grid.shape) for gap in gaps])
        native = thick.grid.with_slices(
            n=len(native_KYX),
            increment_mm=thick.grid.increment_mm / factor,
            thickness_mm=grid.thickness_mm,
            start_mm=thick.grid.start_mm - thick.grid.increment_mm,
        )
        voxels = (native_KYX * GREY_HU).astype(np.float32)
        return resample_z(Volume(voxels, native, thick.modality), grid, "cubic")


def _equations(pair: Pair, factor: int, every: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Windows and truth of every gap between thick slices that the thin ones cover."""
    grid, thin = pair.thick.grid, pair.thin.grid
    first, last = thin.centres_mm()[[0, -1]]
    padded_ZYX = _padded(pair.thick)
    for k in range(grid.n):
        at_mm = grid.start_mm + (k + np.arange(factor) / factor) * grid.increment_mm
        at_mm = at_mm + shift_mm(pair)
        if first <= at_mm[0] and at_mm[-1] <= last:
            whole = [slice(0, n) for n in thin.shape]
            truth_KYX = read_at(pair.thin, at_mm, *whole)[:, ::every, ::every]
            yield _windows(padded_ZYX, k, every), truth_KYX.reshape(factor, -1).T / GREY_HU


def _padded(thick: Scan) -> np.ndarray:
    """Slices and pixels repeated beyond the scan, one gap more than windows ask for."""
    margin = SIDE // 2
    border = ((DEPTH // 2, DEPTH // 2 + 1), (margin, margin), (margin, margin))
    return np.pad(thick.read().astype(float) / GREY_HU, border, mode="edge")


def _windows(padded_ZYX: np.ndarray, k: int, every: int) -> np.ndarray:
    """x_NP: windows around the gap from slice ``k``, -1 or more, to the next, and a constant."""
    slab_ZYX = padded_ZYX[k + 1 : k + 1 + DEPTH]
    views = sliding_window_view(slab_ZYX, (SIDE, SIDE), axis=(1, 2))[:, ::every, ::every]
    x_NP = views.transpose(1, 2, 0, 3, 4).reshape(-1, DEPTH * SIDE**2)
    return np.c_[x_NP, np.ones(len(x_NP))]
