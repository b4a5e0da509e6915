"""A small synthetic patient: water and bone in air, on any grid."""

import numpy as np

from thinslice.volume import Grid, Volume

SCAN = Grid(12, 5.0, 5.0, (40, 48), (1.5, 1.5))


def patient(grid: Grid, noise_hu: float = 0.0, modality="CT") -> Volume:
    """A block of water with a bone that tapers along z, in air."""
    rng = np.random.default_rng(3)
    voxels = np.full(grid.zyx, -1000.0)
    voxels[:, 6:-6, 6:-6] = 40.0
    for k, z_mm in enumerate(grid.centres_mm()):
        voxels[k, 12:24, 12 : 20 + int(z_mm / 6)] = 700.0
    voxels += noise_hu * rng.standard_normal(grid.zyx)
    return Volume(voxels.astype(np.float32), grid, modality)
