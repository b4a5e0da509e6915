"""Interpolation between slice positions: nearest, linear, cubic B-spline, Keys, Lanczos.

Slices are points at their centres in millimetres, so any increment and any phase will do. The
thickness of slices does not change. Beyond the first and the last centre the end slice is repeated.
The kernels, and what each does to a ramp, are in ``operators.kernels``. Taps beyond the ends see
the volume mirrored; those of the Keys kernels see the end slice repeated, as in the tools whose
bicubic they are.
No kernel is widened where the target is coarser: making slices thicker is a degradation.
"""

import numpy as np
from scipy.ndimage import spline_filter1d
from scipy.sparse import csr_array

from thinslice.operators.grids import part
from thinslice.operators.kernels import KERNELS, KINDS, Kind
from thinslice.volume import SAME_PLACE_MM, Grid, Volume

ON_A_SLICE = 1e-9  # tolerance in slices of a position on a slice


def weights(from_mm: np.ndarray, to_mm: np.ndarray, kind: Kind) -> csr_array:
    """Weights [n_to, n_from] of slices at ``from_mm``, evenly spaced, for slices at ``to_mm``.

    For "cubic" they weigh B-spline coefficients (``spline_filter1d``, mirrored), not voxels.
    Rows sum to one. Raises ValueError for an unknown kind and for uneven ``from_mm``.
    """
    if kind not in KINDS:
        raise ValueError(f"no interpolation {kind!r}; there are {', '.join(KINDS)}")
    n = len(from_mm)
    at = _positions(np.asarray(from_mm, float), np.asarray(to_mm, float))
    kernel = KERNELS[kind]
    taps = kernel.taps
    first = np.floor(at + 0.5 + ON_A_SLICE) if taps == 1 else np.floor(at) - (taps // 2 - 1)
    index = first[:, None] + np.arange(taps)
    share = kernel.weigh(np.abs(at[:, None] - index))
    share /= share.sum(1, keepdims=True)
    past_the_ends = _repeated if kernel.repeats_ends else _mirrored
    out = np.zeros((len(at), n))
    np.add.at(out, (np.arange(len(at))[:, None], past_the_ends(index.astype(int), n)), share)
    return csr_array(out)


def resample_z_array(
    voxels_ZYX: np.ndarray, from_mm: np.ndarray, to_mm: np.ndarray, kind: Kind, slab: int = 64
) -> np.ndarray:
    """Voxels, float32 [n_to, Y, X], of slices at ``from_mm`` interpolated at ``to_mm``.

    ``slab`` rows of y are computed at a time, in double precision.
    """
    if len(voxels_ZYX) != len(from_mm):
        raise ValueError(f"{len(voxels_ZYX)} slices but {len(from_mm)} positions")
    row_weights = weights(from_mm, to_mm, kind)
    out = np.empty((len(to_mm), *voxels_ZYX.shape[1:]), np.float32)
    for y in range(0, voxels_ZYX.shape[1], slab):
        block = np.asarray(voxels_ZYX[:, y : y + slab], float)
        if kind == "cubic" and len(block) > 1:
            block = spline_filter1d(block, 3, axis=0, mode="mirror")
        flat = row_weights @ block.reshape(len(block), -1)
        out[:, y : y + slab] = flat.reshape(-1, *block.shape[1:])
    return out


def z_shift_mm(grid: Grid, target: Grid) -> float:
    """Offset to add to the slice positions of ``target`` to get those on the z axis of ``grid``.

    Raises ValueError where pixels or frames differ: only slice positions may.
    """
    z_mm, y_mm, x_mm = _shift_mm(grid, target)
    same = grid.shape == target.shape and np.allclose(
        grid.pixel_mm, target.pixel_mm, rtol=0, atol=SAME_PLACE_MM / max(target.shape)
    )
    if not same or max(abs(y_mm), abs(x_mm)) > SAME_PLACE_MM:
        raise ValueError(
            f"the target grid has {target.shape} pixels of {target.pixel_mm} mm, moved by "
            f"{y_mm:g}, {x_mm:g} mm, but the scan has {grid.shape} of "
            f"{grid.pixel_mm} mm; use resample, which also interpolates in-plane"
        )
    return float(z_mm)


def resample_z(volume: Volume, grid: Grid, kind: Kind = "cubic") -> Volume:
    """Interpolate a volume at the slice positions of ``grid``, which must have the same pixels.

    The result's grid is ``grid`` with the volume's thickness, which interpolation does not change.
    Raises ValueError where the pixels or the frames differ.
    """
    z_mm = z_shift_mm(volume.grid, grid)
    centres = volume.grid.centres_mm()
    voxels = resample_z_array(volume.voxels, centres, grid.centres_mm() + z_mm, kind)
    return volume.with_voxels(voxels, _as_thick_as(volume, grid))


def resample(volume: Volume, grid: Grid, kind: Kind = "cubic") -> Volume:
    """Interpolate a volume at the voxel centres of ``grid``, in-plane too where pixels differ.

    Axes are interpolated one by one, x and y before z. Result grid as in ``resample_z``.
    Raises ValueError where the two grids' axes point different ways.
    """
    shift_mm = _shift_mm(volume.grid, grid)
    voxels = volume.voxels
    for axis in (2, 1, 0):
        from_mm, to_mm = _axis_mm(volume.grid, axis), _axis_mm(grid, axis) + shift_mm[axis]
        if len(from_mm) == len(to_mm) and np.abs(from_mm - to_mm).max() <= SAME_PLACE_MM:
            continue
        moved = np.moveaxis(voxels, axis, 0)
        voxels = np.moveaxis(resample_z_array(moved, from_mm, to_mm, kind), 0, axis)
    voxels = np.array(voxels, np.float32, order="C")
    return volume.with_voxels(voxels, _as_thick_as(volume, grid))


def _positions(from_mm: np.ndarray, to_mm: np.ndarray) -> np.ndarray:
    """Fractional slice numbers of ``to_mm``, clipped to the first and the last slice."""
    if len(from_mm) == 1:
        return np.zeros(len(to_mm))
    steps = np.diff(from_mm)
    if steps.min() <= 0 or np.ptp(steps) > SAME_PLACE_MM:
        raise ValueError(f"slices must be evenly spaced, found {steps.min():g}..{steps.max():g} mm")
    at = (to_mm - from_mm[0]) / ((from_mm[-1] - from_mm[0]) / len(steps))
    nearest = np.rint(at)
    return np.clip(np.where(np.abs(at - nearest) < ON_A_SLICE, nearest, at), 0, len(steps))


def _repeated(index: np.ndarray, n: int) -> np.ndarray:
    """Indices of the end slices for what lies beyond them: -1 is 0, n is n - 1."""
    return index.clip(0, n - 1)


def _mirrored(index: np.ndarray, n: int) -> np.ndarray:
    """Indices reflected at the centres of the first and last slice: -1 is 1, n is n - 2."""
    if n == 1:
        return np.zeros_like(index)
    folded = np.abs(index) % (2 * (n - 1))
    return np.minimum(folded, 2 * (n - 1) - folded)


def _shift_mm(grid: Grid, target: Grid) -> np.ndarray:
    """Offset (z, y, x) of the origin of ``target`` in the frame of ``grid``, of the same axes."""
    axes = np.array(grid.direction, float)
    if not np.allclose(axes, np.array(target.direction, float), atol=1e-5):
        raise ValueError(f"axes point different ways: {grid.direction} and {target.direction}")
    return axes @ (np.array(target.origin_mm) - np.array(grid.origin_mm))


def _axis_mm(grid: Grid, axis: int) -> np.ndarray:
    """Voxel centres along one array axis, from the grid's origin."""
    if axis == 0:
        return grid.centres_mm()
    return grid.pixel_mm[axis - 1] * np.arange(grid.shape[axis - 1])


def _as_thick_as(volume: Volume, grid: Grid) -> Grid:
    return grid.with_slices(
        n=grid.n,
        increment_mm=grid.increment_mm,
        thickness_mm=volume.grid.thickness_mm,
        start_mm=grid.start_mm,
    )


def place_on(native: Volume, grid: Grid) -> Volume:
    """Resample ``native`` onto ``grid``: a crop where voxels coincide, else cubic splines.

    Axis by axis; beyond the outermost native voxels the end is repeated. ValueError where the two
    grids' axes point different ways.
    """
    cropped = _crop(native, grid)
    if cropped.grid.same_place(grid):
        return native.with_voxels(cropped.voxels, grid)
    return native.with_voxels(resample(cropped, grid, "cubic").voxels, grid)


def _crop(native: Volume, grid: Grid) -> Volume:
    """``native`` cropped to ``grid`` along the axes where their voxels coincide."""
    source = native.grid
    axes = np.array(source.direction, float)
    offsets_mm = axes @ (np.array(grid.origin_mm) - np.array(source.origin_mm))
    offsets_mm[0] += grid.start_mm - source.start_mm
    steps = [(source.increment_mm, *source.pixel_mm), (grid.increment_mm, *grid.pixel_mm)]
    first, sizes = [0, 0, 0], list(source.zyx)
    for axis, (offset, step, target_step) in enumerate(zip(offsets_mm, *steps)):
        start, n = int(np.rint(offset / step)), grid.zyx[axis]
        drift_mm = abs(offset - start * step) + (n - 1) * abs(target_step - step)
        if drift_mm <= SAME_PLACE_MM and start >= 0 and start + n <= source.zyx[axis]:
            first[axis], sizes[axis] = start, n
    z, y, x = (slice(start, start + n) for start, n in zip(first, sizes))
    block = part(source, (first[0], first[1], first[2]), (sizes[0], sizes[1], sizes[2]))
    return native.with_voxels(native.voxels[z, y, x], block)
