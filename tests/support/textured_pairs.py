"""Pairs whose missing slices only the texture in-plane can tell.

Waves of 30 and of 6 slices, seen every fifth slice, are the same; where the fast ones are, pixels
alternate in-plane. No filter along z can tell them apart, whatever its weights.
"""

import numpy as np

from thinslice.interfaces import Pair
from thinslice.volume import Grid, Volume

FACTOR, THICK_SLICES, DEPTH = 5, 6, 4


def textured(seed: int) -> Pair:
    """Half of the plane slow waves, half fast ones under a chequered texture."""
    rng = np.random.default_rng(seed)
    thin = Grid(FACTOR * (THICK_SLICES - 1) + 1, 1.0, 1.0, (18, 22), (0.7, 0.7), 2.0)
    z = np.arange(thin.n)[:, None, None]
    y, x = np.mgrid[: thin.shape[0], : thin.shape[1]]
    angle = rng.uniform(0, 2 * np.pi)
    along = y * np.cos(angle) + x * np.sin(angle)
    fast = along > np.median(along)
    phase = rng.uniform(0, 2 * np.pi)
    slow_wave = np.cos(2 * np.pi * z / 30 + phase)
    fast_wave = np.cos(2 * np.pi * z / 6 - phase)
    voxels = 300 * np.where(fast, fast_wave, slow_wave) + 150 * fast * (-1.0) ** (y + x)
    voxels = voxels.astype(np.float32)
    thick = thin.with_slices(n=THICK_SLICES, increment_mm=5.0, thickness_mm=5.0, start_mm=2.0)
    return Pair(f"case{seed}", Volume(voxels[::FACTOR].copy(), thick), Volume(voxels, thin))


def rmse_of_the_best_filter_along_z(pair: Pair) -> float:
    """Of all affine filters of four thick slices, fitted to the very truth it is measured by."""
    thick_ZN, thin_ZN = (v.voxels.reshape(v.grid.n, -1) for v in (pair.thick, pair.thin))
    windows = range(THICK_SLICES - DEPTH + 1)
    x = np.concatenate([thick_ZN[k : k + DEPTH].T for k in windows])
    out = (DEPTH - 1) * FACTOR + 1
    y = np.concatenate([thin_ZN[FACTOR * k : FACTOR * k + out].T for k in windows])
    x = np.c_[x, np.ones(len(x))]
    weights, *_ = np.linalg.lstsq(x, y, rcond=None)
    return float(np.sqrt(np.square(x @ weights - y).mean()))
