"""A patient of balls in water in air, scanned by tilted, uneven or mixed slices, in closed form.

Slices are exact box means along their normal; in-plane, the mean of 2 x 2 points per pixel, blurred
as by a soft kernel. Patient space is LPS.
"""

from pathlib import Path

import numpy as np
from scipy.ndimage import gaussian_filter

from support import dicom_maker as maker

WATER_HU, BALL_HU, AIR_HU = 40.0, 700.0, -1000.0
BALLS = np.array([(0, 0, 0), (-14, 10, 13), (12, -9, -16), (-10, -12, 6), (11, 14, -6)], float)
RADIUS_MM = 6.0
BODY_MM = (34.0, 30.0)  # half axes along x and y of a cylinder along z
PIXEL_MM, SHAPE = 0.9, (88, 92)
SUB = 2  # points a pixel, and direction
KERNEL_PIXELS = 1.0  # sigma


def tilted(degrees: float) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Row and column directions of slices tilted about the patient's left-right axis."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return (1.0, 0.0, 0.0), (0.0, float(c), float(s))


def table(z_mm: np.ndarray, plane) -> np.ndarray:
    """LPS [n, 3] of each slice's first pixel, for a table that moves along z through the middle."""
    right, down = np.array(plane, float)
    rows, columns = ((n - 1) / 2 * PIXEL_MM for n in SHAPE)
    return np.array([(0.0, 0.0, z) for z in z_mm]) - rows * down - columns * right


def slice_hu(position: np.ndarray, plane, thickness_mm: float, shape=SHAPE) -> np.ndarray:
    """One slice [Y, X] from its first pixel's centre, without noise."""
    right, down = np.array(plane, float)
    normal = np.cross(right, down)
    rows, columns = (np.arange(n * SUB) / SUB - (SUB - 1) / 2 / SUB for n in shape)
    points = position + PIXEL_MM * (rows[:, None, None] * down + columns[:, None] * right)
    hu = np.full(points.shape[:2], AIR_HU)
    body = _share(points / (*BODY_MM, 1), normal / (*BODY_MM, 1), thickness_mm, flat=True)
    hu += (WATER_HU - AIR_HU) * body
    within_mm = RADIUS_MM + thickness_mm / 2
    for ball in BALLS[np.abs((BALLS - position) @ normal) < within_mm]:
        hu += (BALL_HU - WATER_HU) * _share(
            (points - ball) / RADIUS_MM, normal / RADIUS_MM, thickness_mm
        )
    pixels = hu.reshape(shape[0], SUB, shape[1], SUB).mean((1, 3))
    return gaussian_filter(pixels, KERNEL_PIXELS, mode="nearest")


def _share(
    points: np.ndarray, normal: np.ndarray, thickness_mm: float, flat: bool = False
) -> np.ndarray:
    """Share of the slice's thickness, along its normal, inside the unit ball or cylinder."""
    axes = slice(0, 2) if flat else slice(0, 3)
    p, n = points[..., axes], normal[axes]
    a, b, c = n @ n, p @ n, (p * p).sum(-1) - 1
    if a < 1e-12:
        return (c < 0).astype(float)
    root = np.sqrt(np.maximum(b**2 - a * c, 0)) / a
    low, high = -b / a - root, -b / a + root
    half = thickness_mm / 2
    inside = np.minimum(high, half) - np.maximum(low, -half)
    return np.where(b**2 > a * c, np.maximum(inside, 0), 0) / thickness_mm


def scanned(
    positions: np.ndarray, plane, thickness_mm: float | np.ndarray, noise_hu=0.0, seed=0
) -> np.ndarray:
    """Whole HU [n, Y, X] of slices at ``positions``; noise as of a slice of 5 mm."""
    each = np.broadcast_to(np.asarray(thickness_mm, float), len(positions))
    rng = np.random.default_rng(seed)
    hu = np.array([slice_hu(p, plane, t) for p, t in zip(positions, each)])
    rough = rng.standard_normal(hu.shape)
    rough = gaussian_filter(rough, (0, KERNEL_PIXELS, KERNEL_PIXELS))
    hu += noise_hu * rough / rough.std() * np.sqrt(5 / each)[:, None, None]
    return np.clip(np.rint(hu), -1024, 3071).astype(np.float32)


def series(
    folder: Path, z_mm: np.ndarray, *, degrees=0.0, thickness_mm=5.0, noise_hu=0.0, **how
) -> Path:
    """A DICOM series of slices at table positions ``z_mm``, in files of shuffled names."""
    plane = tilted(degrees)
    positions = table(z_mm, plane)
    each = np.broadcast_to(np.asarray(thickness_mm, float), len(z_mm))
    further = how.pop("change", lambda k, data: None)

    def change(k, data):
        data.SliceThickness = float(each[k])
        further(k, data)

    return maker.series(
        folder, scanned(positions, plane, each, noise_hu), list(positions),
        change=change, plane=plane, pixel_mm=(PIXEL_MM, PIXEL_MM), **how,
    )  # fmt: skip


def truth(grid) -> np.ndarray:
    """The scene's slices on a grid [Z, Y, X], without noise."""
    z, y, x = np.array(grid.direction)
    assert np.allclose(grid.pixel_mm, PIXEL_MM)
    first = [np.array(grid.origin_mm) + z * at for at in grid.centres_mm()]
    return np.array([slice_hu(p, (x, y), grid.thickness_mm, grid.shape) for p in first])


def centroids(voxels: np.ndarray, affine: np.ndarray) -> np.ndarray:
    """LPS centroid [balls, 3] of each ball in voxels [Z, Y, X], by excess HU near it.

    affine   4x4, index (z, y, x) to LPS
    """
    index = np.indices(voxels.shape).reshape(3, -1)
    points = (affine[:3, :3] @ index + affine[:3, 3:]).T
    excess = np.clip(voxels.ravel() - WATER_HU, 0, None)
    near = [np.linalg.norm(points - ball, axis=1) < RADIUS_MM + 4 for ball in BALLS]
    return np.array([excess[some] @ points[some] / excess[some].sum() for some in near])
