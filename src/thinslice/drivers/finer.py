"""Grids whose voxels tile coarser ones, and getting from them to the grid that is asked for.

A sub-pixel layer makes r voxels of one, side by side over the same extent. So native voxel centres
are (j + 0.5) / r - 0.5 coarse voxels from a coarse centre: for an odd r one of them lies on it, for
an even r none does.
"""

from dataclasses import replace

import numpy as np

from thinslice.resampling import resample
from thinslice.volume import SAME_PLACE_MM, Grid, Volume

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


def pixels(grid: Grid, factor: int) -> Grid:
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


def slices(grid: Grid, factor: int) -> Grid:
    """``factor`` slices in the place of each, as thick as they are far apart."""
    increment_mm = grid.increment_mm / factor
    return grid.with_slices(
        n=grid.n * factor,
        increment_mm=increment_mm,
        thickness_mm=increment_mm,
        start_mm=grid.start_mm + (increment_mm - grid.increment_mm) / 2,
    )


def placed(native: Volume, grid: Grid) -> Volume:
    """``native`` on exactly ``grid``: its own voxels where they lie there, else cubic splines.

    Axis by axis; past the outermost native voxels the end is held. ValueError where the two grids'
    axes point different ways.
    """
    cut = _cut(native, grid)
    if cut.grid.same_place(grid):
        return native.with_voxels(cut.voxels, grid)
    return native.with_voxels(resample(cut, grid, "cubic").voxels, grid)


def _cut(native: Volume, grid: Grid) -> Volume:
    """``native`` less what lies beyond ``grid``, along the axes where their voxels coincide."""
    have, want = native.grid, grid
    axes = np.array(have.direction, float)
    apart_mm = axes @ (np.array(want.origin_mm) - np.array(have.origin_mm))
    apart_mm[0] += want.start_mm - have.start_mm
    steps = [(have.increment_mm, *have.pixel_mm), (want.increment_mm, *want.pixel_mm)]
    first, kept = [0, 0, 0], list(have.zyx)
    for axis, (offset, step, wanted) in enumerate(zip(apart_mm, *steps)):
        start, n = int(np.rint(offset / step)), grid.zyx[axis]
        drift_mm = abs(offset - start * step) + (n - 1) * abs(wanted - step)
        if drift_mm <= SAME_PLACE_MM and start >= 0 and start + n <= have.zyx[axis]:
            first[axis], kept[axis] = start, n
    z, y, x = (slice(start, start + n) for start, n in zip(first, kept))
    o = (
        np.array(have.origin_mm)
        + axes[1] * first[1] * steps[0][1]
        + axes[2] * first[2] * steps[0][2]
    )
    part = replace(
        have,
        n=kept[0],
        shape=(kept[1], kept[2]),
        start_mm=have.start_mm + first[0] * have.increment_mm,
        origin_mm=(float(o[0]), float(o[1]), float(o[2])),
    )
    return native.with_voxels(native.voxels[z, y, x], part)
