"""Grids whose voxels tile those of coarser grids: whole-number factors of pixels and slices.

A sub-pixel layer divides a voxel into r, over the same extent. So native voxel centres are
(j + 0.5) / r - 0.5 coarse voxels from a coarse centre: one of them lies on it for odd r, none for
even r.
"""

from dataclasses import replace

import numpy as np

from thinslice.volume import Grid

NEARLY_WHOLE = 0.01  # relative tolerance of a ratio of pixels


def pixel_factor(thick: Grid, thin: Grid) -> int:
    """Number of ``thin`` pixels per ``thick`` pixel, the same along y and x.

    ValueError where the two ratios are not the same whole number.
    """
    ratios = np.divide(thick.pixel_mm, thin.pixel_mm)
    factor = max(1, int(np.rint(ratios[0])))
    if np.abs(ratios / factor - 1).max() > NEARLY_WHOLE:
        raise ValueError(
            f"thick pixels of {thick.pixel_mm} mm and thin ones of {thin.pixel_mm} mm: "
            f"the ratios {ratios[0]:.3g} and {ratios[1]:.3g} are not the same whole number"
        )
    return factor


def finer_pixels(grid: Grid, factor: int) -> Grid:
    """Grid with each pixel divided into ``factor`` x ``factor``."""
    _, y, x = np.array(grid.direction, float)
    to_first = (1 / factor - 1) / 2 * (y * grid.pixel_mm[0] + x * grid.pixel_mm[1])
    o = np.array(grid.origin_mm) + to_first
    return replace(
        grid,
        shape=(grid.shape[0] * factor, grid.shape[1] * factor),
        pixel_mm=(grid.pixel_mm[0] / factor, grid.pixel_mm[1] / factor),
        origin_mm=(float(o[0]), float(o[1]), float(o[2])),
    )


def finer_slices(grid: Grid, factor: int) -> Grid:
    """Grid with each slice divided into ``factor``; the thickness is the new increment."""
    increment_mm = grid.increment_mm / factor
    return grid.with_slices(
        n=grid.n * factor,
        increment_mm=increment_mm,
        thickness_mm=increment_mm,
        start_mm=grid.start_mm + (increment_mm - grid.increment_mm) / 2,
    )
