"""Pairs that a network learns in seconds: waves along z, attenuated by thick slices."""

import numpy as np

from thinslice.interfaces import Pair
from thinslice.volume import Grid, Volume


def waves(seed: int) -> Volume:
    """Waves of 10 to 14 mm along z, which thick slices attenuate and a filter can restore."""
    rng = np.random.default_rng(seed)
    grid = Grid(40, 1.0, 1.0, (14, 16), (0.7, 0.7), start_mm=3.0)
    y, x = np.mgrid[:14, :16]
    z_mm = grid.centres_mm()[:, None, None]
    voxels = np.zeros(grid.zyx)
    for _ in range(3):
        slant = rng.uniform(-0.3, 0.3, 2)
        phase = slant[0] * y + slant[1] * x + rng.uniform(0, 6)
        voxels += 200 * np.sin(2 * np.pi * z_mm / rng.uniform(10, 14) + phase)
    return Volume(voxels.astype(np.float32), grid)


def thickened(thin: Volume) -> Volume:
    """The means of six slices, every 2.5 mm, off the thin slices' phase."""
    centres = thin.grid.centres_mm()
    at_mm = np.arange(centres[0] + 1.7, centres[-1] - 2, 2.5)
    share = np.clip(3.5 - np.abs(at_mm[:, None] - centres), 0, 1)
    share /= share.sum(1, keepdims=True)
    voxels = np.tensordot(share, thin.voxels, 1).astype(np.float32)
    grid = thin.grid.with_slices(
        n=len(at_mm), increment_mm=2.5, thickness_mm=6.0, start_mm=float(at_mm[0])
    )
    return Volume(voxels, grid)


def pairs(*seeds: int) -> list[Pair]:
    return [Pair(f"case{seed}", thickened(waves(seed)), waves(seed)) for seed in seeds]


def rmse(a: Volume, b: Volume) -> float:
    return float(np.sqrt(np.mean((a.voxels - b.voxels) ** 2)))
