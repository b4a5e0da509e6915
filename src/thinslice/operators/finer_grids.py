"""Grids whose voxels tile coarser ones: whole-number factors of pixels and slices.

A sub-pixel layer makes r voxels of one, side by side over the same extent. So native voxel centres
are (j + 0.5) / r - 0.5 coarse voxels from a coarse centre: for an odd r one of them lies on it, for
an even r none does.
"""

from dataclasses import replace

import numpy as np

from thinslice.volume import Grid

NEARLY_WHOLE = 0.01  # how far a ratio of pixels may be from a whole number, relatively


def pixel_factor(thick: Grid, thin: Grid) -> int:
    """How many pixels of ``thin`` make one of ``thick``, along y as along x.

    ValueError where the two ratios are not one whole number.
    """
    ratios = np.divide(thick.pixel_mm, thin.pixel_mm)
    factor = max(1, int(np.rint(ratios[0])))
    if np.abs(ratios / factor - 1).max() > NEARLY_WHOLE:
        raise ValueError(
            f"pixels of {thin.pixel_mm} mm of a scan with pixels of {thick.pixel_mm} mm: "
            f"the ratios {ratios[0]:.3g} and {ratios[1]:.3g} are not one whole number"
        )
    return factor


def finer_pixels(grid: Grid, factor: int) -> Grid:
    """``factor`` x ``factor`` pixels in the place of each."""
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
    """``factor`` slices in the place of each, as thick as they are far apart."""
    increment_mm = grid.increment_mm / factor
    return grid.with_slices(
        n=grid.n * factor,
        increment_mm=increment_mm,
        thickness_mm=increment_mm,
        start_mm=grid.start_mm + (increment_mm - grid.increment_mm) / 2,
    )
