"""Spheres of known size in a scan: how large they look, and how far apart their edges are along z.

Volume     voxels beyond half the contrast, within 3 mm of the sphere, against pi d^3 / 6: what a
           segmentation at half maximum measures. Thick slices lower a small sphere's contrast, and
           then it looks smaller, or is not seen at all (-100 %)
Thickness  distance from 88 to 12 % of the edge along z, at the tops and bottoms of spheres. For a
           bell this is the FWHM of the slice profile; for a box it is 0.76 of it. The true edge of
           every column is known, so columns of all spheres make one finely sampled edge

Contrast is the sphere's known HU, or else its core in the thin scan, over the median of what lies 3
to 6 mm around it. Spheres are assumed to lie alone.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from thinslice.volume import Grid, Volume

NEAR_MM, FAR_MM = 3.0, 6.0  # around a sphere: what may be it, and what is background
CORE = 0.25  # of the diameter, that the core's radius is
LEVELS = (0.88, 0.12)  # 1.1775 sd on both sides: the FWHM of a Gaussian
TOP = 0.35  # of the radius: columns whose surface is nearly level
BIN_MM = 0.25
WIDE = 2.5  # times the thickness: smaller spheres have no plateau between their edges


class Sphere(NamedTuple):
    """A sphere of known place (patient coordinates, mm) and size; ``hu`` None: not stated."""

    x_mm: float
    y_mm: float
    z_mm: float
    diameter_mm: float
    hu: float | None = None

    @property
    def volume_mm3(self) -> float:
        """Closed form."""
        return float(np.pi / 6 * self.diameter_mm**3)


def spheres_of(source: Mapping[str, Any]) -> list[Sphere]:
    """Those that a case's source states under ``solids``."""
    return [Sphere(**each) for each in source.get("solids", [])]


class Contrast(NamedTuple):
    """HU of a sphere and of what surrounds it."""

    inside: float
    outside: float


def contrast_of(thin: Volume, sphere: Sphere) -> Contrast | None:
    """By the thin scan; None for a sphere that is not wholly on it with its surroundings."""
    box, distance = around(thin, sphere)
    if box is None:
        return None
    radius = sphere.diameter_mm / 2
    shell = box[(distance > radius + NEAR_MM) & (distance < radius + FAR_MM)]
    core = box[distance <= max(CORE * sphere.diameter_mm, distance.min())]
    inside = float(np.median(core)) if sphere.hu is None else sphere.hu
    return Contrast(inside, float(np.median(shell)))


def volume_error(volume: Volume, sphere: Sphere, contrast: Contrast) -> float:
    """Measured over true volume, minus one, in %; nan for a sphere that is not wholly on it."""
    box, distance = around(volume, sphere)
    if box is None:
        return float("nan")
    share = (box - contrast.outside) / (contrast.inside - contrast.outside)
    counted = (share > 0.5) & (distance < sphere.diameter_mm / 2 + NEAR_MM)
    grid = volume.grid
    voxel_mm3 = grid.increment_mm * float(np.prod(grid.pixel_mm))
    return 100 * (int(counted.sum()) * voxel_mm3 / sphere.volume_mm3 - 1)


def effective_thickness(
    volume: Volume, spheres: Sequence[tuple[Sphere, Contrast]]
) -> tuple[float, int]:
    """Width of the edges along z in mm, and of how many spheres; nan and 0 where none is wide."""
    edges = [edge for each in spheres if (edge := _edge(volume, *each)) is not None]
    if not edges:
        return float("nan"), 0
    offset_mm, share = (np.concatenate(part) for part in zip(*edges))
    bins = np.floor(offset_mm / BIN_MM).astype(int)
    places, which = np.unique(bins, return_inverse=True)
    mean = np.bincount(which, share) / np.bincount(which)
    falling = np.minimum.accumulate(mean)
    at = [np.interp(-level, -falling, (places + 0.5) * BIN_MM) for level in LEVELS]
    return float(at[1] - at[0]), len(edges)


def _edge(
    volume: Volume, sphere: Sphere, contrast: Contrast
) -> tuple[np.ndarray, np.ndarray] | None:
    """Offsets from the true surface along z (outwards), mm, and shares of the contrast there."""
    box, _ = around(volume, sphere)
    if box is None or sphere.diameter_mm < WIDE * volume.grid.thickness_mm:
        return None
    z, y, x = offsets_mm(volume.grid, sphere)
    across = np.hypot(*np.meshgrid(y, x, indexing="ij"))
    radius = sphere.diameter_mm / 2
    level = across < TOP * radius
    surface = np.sqrt(radius**2 - across[level] ** 2)
    offset = np.abs(z)[:, None] - surface[None, :]
    share = (box[:, level] - contrast.outside) / (contrast.inside - contrast.outside)
    return offset.ravel(), share.ravel()


def around(volume: Volume, sphere: Sphere) -> tuple[np.ndarray | None, np.ndarray]:
    """Voxels [z, y, x] around a sphere and their distances from its centre, mm; None: off the scan,
    or with padding."""
    ranges = _ranges(volume.grid, sphere)
    inside = all(0 <= low and high <= n for (low, high), n in zip(ranges, volume.grid.zyx))
    if not inside:
        return None, np.empty(0)
    z, y, x = (slice(*each) for each in ranges)
    padded = volume.padded(z, y, x)
    if padded is not None and padded.any():
        return None, np.empty(0)
    dz, dy, dx = offsets_mm(volume.grid, sphere)
    distance = np.sqrt(dz[:, None, None] ** 2 + dy[:, None] ** 2 + dx**2)
    return volume.read(z, y, x).astype(float), distance


def offsets_mm(grid: Grid, sphere: Sphere) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Places of the voxels around a sphere from its centre, along z, y and x."""
    centre = _index(grid, sphere)
    steps = (grid.increment_mm, *grid.pixel_mm)
    z, y, x = (
        (np.arange(low, high) - c) * step
        for (low, high), c, step in zip(_ranges(grid, sphere), centre, steps)
    )
    return z, y, x


def _ranges(grid: Grid, sphere: Sphere) -> list[tuple[int, int]]:
    """First and past-the-last indices of the box around a sphere, on the scan or not."""
    reach = sphere.diameter_mm / 2 + FAR_MM
    steps = (grid.increment_mm, *grid.pixel_mm)
    return [
        (int(np.ceil(c - reach / step)), int(np.floor(c + reach / step)) + 1)
        for c, step in zip(_index(grid, sphere), steps)
    ]


def _index(grid: Grid, sphere: Sphere) -> np.ndarray:
    """Centre of a sphere in slices, rows and columns."""
    place = np.array([sphere.x_mm, sphere.y_mm, sphere.z_mm, 1.0])
    return (np.linalg.inv(grid.affine()) @ place)[:3]
