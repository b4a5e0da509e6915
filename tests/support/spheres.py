"""Spheres of known size, rendered through a slice profile: exact along z, on no grid."""

from collections.abc import Sequence

import numpy as np

from thinslice.metrics.known_solids import Sphere
from thinslice.operators.profiles import Profile
from thinslice.phantom.solids import Ellipsoids
from thinslice.volume import Grid, Volume

LUNG_HU, NODULE_HU = -850.0, 50.0
FINE = 4  # points per pixel and direction


def grid_of(mm: float, length_mm: float = 60.0, pixel_mm: float = 0.7, side: int = 60) -> Grid:
    """Contiguous slices of that thickness, centred on the origin in every direction."""
    n, half = round(length_mm / mm), (side - 1) / 2 * pixel_mm
    return Grid(
        n, mm, mm, (side, side), (pixel_mm, pixel_mm),
        start_mm=-(n - 1) / 2 * mm, origin_mm=(-half, -half, 0.0),
    )  # fmt: skip


def rendered(grid: Grid, spheres: Sequence[Sphere], profile: Profile) -> Volume:
    """A lung with nodules, without noise; pixels are means of points."""
    voxels = np.full(grid.zyx, LUNG_HU)
    for sphere in spheres:
        voxels += (NODULE_HU - LUNG_HU) * _share(grid, sphere, profile)
    return Volume(voxels.astype(np.float32), grid)


def _share(grid: Grid, sphere: Sphere, profile: Profile) -> np.ndarray:
    centres = np.array([[sphere.z_mm, sphere.y_mm, sphere.x_mm]])
    ball = Ellipsoids(centres, np.full((1, 3), sphere.diameter_mm / 2), np.eye(3)[None])
    y, x = (_points(n, mm) for n, mm in zip(grid.shape, grid.pixel_mm))
    yy, xx = (part.ravel() for part in np.meshgrid(y, x, indexing="ij"))
    low, high = ball.chords_mm(np.zeros(yy.size, int), yy, xx)
    hit = low <= high
    share = np.zeros((grid.n, yy.size))
    z = grid.centres_mm()[:, None]
    share[:, hit] = profile.cdf(high[hit] - z) - profile.cdf(low[hit] - z)
    fine = share.reshape(grid.n, grid.shape[0], FINE, grid.shape[1], FINE)
    return fine.mean((2, 4))


def _points(n: int, mm: float) -> np.ndarray:
    centres = (np.arange(n) - (n - 1) / 2) * mm
    parts = ((np.arange(FINE) + 0.5) / FINE - 0.5) * mm
    return (centres[:, None] + parts).ravel()
