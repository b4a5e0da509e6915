"""Scans with a round field of view, outside of which one number or another stands."""

import numpy as np

from thinslice.volume import Grid, Modality

NUMBERS = (-1024.0, -2000.0, -3024.0, -32768.0)  # the first is air, which is no padding
THIN = Grid(41, 1.0, 1.0, (24, 28), (2.0, 2.0))
THICK = THIN.with_slices(n=8, increment_mm=5.0, thickness_mm=5.0, start_mm=2.0)


def outside(grid: Grid, step_px: float = 0.0, radius_px: float = 11.0) -> np.ndarray:
    """Boolean [Z, Y, X]: beyond a circle whose centre moves ``step_px`` along x per millimetre."""
    rows, columns = grid.shape
    y, x = np.mgrid[:rows, :columns]
    centre = (columns - 1) / 2 + step_px * (grid.centres_mm() - THIN.centres_mm().mean())
    return np.hypot(y - (rows - 1) / 2, x - centre[:, None, None]) > radius_px


def patient(grid: Grid, seed: int = 0, modality: Modality = "CT") -> np.ndarray:
    """Float32 [Z, Y, X], whole HU: a noisy body in noisy air, up to the edge of the field."""
    rows, columns = grid.shape
    y, x = np.mgrid[:rows, :columns]
    radius = np.hypot((y - (rows - 1) / 2) / 8, (x - (columns - 1) / 2) / 13)
    wave = 60 * np.sin(grid.centres_mm() / 4)[:, None, None]
    values = np.where(radius < 1, 40 + wave + 3 * x, -980.0)
    values = np.rint(values + np.random.default_rng(seed).normal(0, 6, grid.zyx))
    return (values if modality == "CT" else values + 1100).astype(np.float32)


def as_in_file(grid: Grid, number: float, step_px: float = 0.0, seed: int = 0) -> np.ndarray:
    """What a file with this number outside the field of view holds."""
    return np.where(outside(grid, step_px), np.float32(number), patient(grid, seed))
