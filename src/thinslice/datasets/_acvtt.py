"""NIfTI files of ACVTT's splits to cases, prepared as its released code does.

Rows and columns of air are cropped, slices half a millimetre apart are halved, slices one
millimetre apart are kept, all others are resampled (cubic B-spline, blurred beforehand where they
get fewer), and the end is trimmed so that the scan begins and ends on a thick slice. "First" and
"every second" count in the file's order, which may run to the feet while ours runs to the head.

Source: released code of ACVTT (preparation of MSD and KiTS23), equal to it up to float16 storage
and exact in the kept slices. Differs in the geometry, which is exact here and nominal there:
resampling n slices to round(n x spacing) gives slices that are not one millimetre but up to half a
slice in n off, and that is the increment stated. HU above 3071 are left for windows to clip.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy.ndimage import gaussian_filter1d

from thinslice.datasets._splits import SplitRow
from thinslice.errors import refused
from thinslice.interfaces import Case
from thinslice.io.nifti.read import read_nifti
from thinslice.io.orientation import HEAD
from thinslice.io.scan import LoadedScan
from thinslice.operators.interpolation import resample_z_array
from thinslice.volume import Grid, Volume

THIN_MM = 1.5  # scans whose slices lie farther apart are no thin truth
ROWS_HU = -500.0  # a row whose mean is above it has more than air; likewise columns, per data set
SAME_MM = 1e-5  # spacings are single precision in a file
SLAB = 16  # rows of y resampled at a time, in double precision


@dataclass(frozen=True)
class Preparation:
    """What differs between the data sets, and how far apart the thick slices will be."""

    columns_hu: float  # a column whose mean is above it has more than air
    floor_hu: float = -np.inf  # lower values are raised to it, before all else
    trim_factor: int | None = 5  # thin slices per thick increment; None: no slice is trimmed


def prepared_case(
    row: SplitRow, path: Path, how: Preparation, thickness_mm: float | None = None
) -> Case:
    """The CT at ``path``, prepared as ACVTT does; thickness as declared, else the increment.

    NIfTI says no thickness; slices are taken to be as thick as they lay apart in the file. Raises
    Refused as ``read_nifti`` and ``prepared`` do.
    """
    scan = read_nifti(path, thickness_mm=thickness_mm)
    to_feet = runs_to_feet(scan)
    volume = scan.volume
    if row.first_slices:
        volume = first_slices(volume, int(row.first_slices), to_feet)
    thin = prepared(volume, to_feet, how, path)
    return Case(row.case, row.patient, row.split, thin, None, header_before(row, scan))


def runs_to_feet(scan: LoadedScan) -> bool:
    """Whether the file's slices run to the feet; Refused where they are not axial."""
    if int(np.abs(scan.volume.grid.direction[0]).argmax()) != HEAD:
        raise refused(scan.files[0], "slices that are not axial", "axial ones", "leave it out")
    return "I" in scan.source["axes"]


def header_before(row: SplitRow, scan: LoadedScan) -> dict[str, Any]:
    """Header of the file before preparation; JSON."""
    grid = scan.volume.grid
    (file,) = scan.files
    as_read = {"file": file.name, "increment_mm": grid.increment_mm, "zyx": list(grid.zyx)}
    return {"thin": {**scan.source, **as_read}, "published_split": row.published_split or None}


def prepared(volume: Volume, to_feet: bool, how: Preparation, path: Path) -> Volume:
    """The thin scan, cropped, with a slice about every millimetre, trimmed; HU float32.

    to_feet   whether the file's slices run to the feet; in ``volume`` they run to the head
    path      where it lies, for refusals

    Padding is raised to the floor with everything else below it, as the authors do.
    Thickness stays the original one: neither interpolation nor dropping slices changes it.
    Raises Refused for slices farther apart than 1.5 mm, for a scan of air alone, and for one that
    is too short for two thick slices.
    """
    increment_mm = volume.grid.increment_mm
    if increment_mm > THIN_MM + SAME_MM:
        found = f"slices every {increment_mm:g} mm"
        raise refused(path, found, f"{THIN_MM:g} mm or less", "is it the published file?")
    as_published = Volume(volume.as_in_file(), volume.grid, volume.modality)
    fine = every_millimetre(_body(as_published, how, path), to_feet)
    return trimmed(fine, to_feet, how.trim_factor, path)


def first_slices(volume: Volume, n: int, to_feet: bool) -> Volume:
    """The first ``n`` slices in the file's order."""
    start = max(volume.grid.n - n, 0) if to_feet else 0
    return _slices(volume, slice(start, start + n))


def every_millimetre(volume: Volume, to_feet: bool) -> Volume:
    """Slices about one millimetre apart: halved, kept, or resampled between the scan's faces."""
    grid = volume.grid
    if abs(grid.increment_mm - 1) <= SAME_MM:
        return volume
    if abs(grid.increment_mm - 0.5) <= SAME_MM:
        return _slices(volume, slice((grid.n - 1) % 2 if to_feet else 0, None, 2))
    return _resampled(volume, max(round(grid.n * grid.increment_mm), 1))


def trimmed(volume: Volume, to_feet: bool, factor: int | None, path: Path) -> Volume:
    """The first k x ``factor`` + 1 slices in the file's order, k as large as it can be.

    So every factor-th slice, counted from either end, begins and ends with the scan's own ends.
    """
    if factor is None:
        return volume
    n = (volume.grid.n - 1) // factor * factor + 1
    if n == 1:
        found = f"{volume.grid.n} slices after preparation"
        raise refused(path, found, f"{factor + 1} or more", "leave it out, or lower trim_factor")
    return first_slices(volume, n, to_feet)


def _body(volume: Volume, how: Preparation, path: Path) -> Volume:
    """Raised to the floor; from the first to the last row and column that hold more than air."""
    rows = np.zeros(volume.grid.shape[0])
    columns = np.zeros(volume.grid.shape[1])
    for plane in volume.voxels:
        raised = np.maximum(plane, how.floor_hu)
        rows += raised.mean(1, dtype=float)
        columns += raised.mean(0, dtype=float)
    y = np.flatnonzero(rows / volume.grid.n > ROWS_HU)
    x = np.flatnonzero(columns / volume.grid.n > how.columns_hu)
    if not len(y) or not len(x):
        found = f"{len(y)} rows above {ROWS_HU:g} HU and {len(x)} columns above {how.columns_hu:g}"
        raise refused(path, found, "a body", "is it a CT in HU?")
    (top, bottom), (left, right) = (int(y[0]), int(y[-1]) + 1), (int(x[0]), int(x[-1]) + 1)
    kept = np.maximum(volume.voxels[:, top:bottom, left:right], np.float32(how.floor_hu))
    return volume.with_voxels(kept, _cropped(volume.grid, kept.shape[1:], top, left))


def _cropped(grid: Grid, shape: tuple[int, ...], top: int, left: int) -> Grid:
    """The grid of a crop: its origin moved along y and x."""
    _, y, x = np.array(grid.direction, float)
    origin = np.array(grid.origin_mm) + top * grid.pixel_mm[0] * y + left * grid.pixel_mm[1] * x
    ox, oy, oz = (float(v) for v in origin)
    return replace(grid, shape=(shape[0], shape[1]), origin_mm=(ox, oy, oz))


def _slices(volume: Volume, kept: slice) -> Volume:
    """Some of the slices, where they are."""
    grid = volume.grid
    start, _, step = kept.indices(grid.n)
    voxels = np.ascontiguousarray(volume.voxels[kept])
    there = grid.with_slices(
        n=len(voxels),
        increment_mm=step * grid.increment_mm,
        thickness_mm=grid.thickness_mm,
        start_mm=grid.start_mm + start * grid.increment_mm,
    )
    return volume.with_voxels(voxels, there)


def _resampled(volume: Volume, n: int) -> Volume:
    """``n`` slices that share the length of the scan, faces kept; clipped plane by plane.

    As skimage's ``rescale`` of order 3 along z does with every coronal plane: a Gaussian of
    (ratio - 1) / 2 slices where the slices get fewer, a B-spline mirrored at the end slices, and
    no value beyond those of the coronal plane it comes from.
    """
    grid = volume.grid
    ratio = grid.n / n  # old slices per new one
    index = np.arange(grid.n, dtype=float)
    at = _mirrored((np.arange(n) + 0.5) * ratio - 0.5, grid.n)
    out = np.empty((n, *grid.shape), np.float32)
    for y in range(0, grid.shape[0], SLAB):
        block = volume.voxels[:, y : y + SLAB].astype(float)
        low, high = block.min((0, 2))[:, None], block.max((0, 2))[:, None]
        if ratio > 1:
            block = gaussian_filter1d(block, (ratio - 1) / 2, axis=0, mode="mirror")
        out[:, y : y + SLAB] = resample_z_array(block, index, at, "cubic").clip(low, high)
    increment_mm = grid.increment_mm * ratio
    there = grid.with_slices(
        n=n,
        increment_mm=increment_mm,
        thickness_mm=grid.thickness_mm,
        start_mm=grid.start_mm + (increment_mm - grid.increment_mm) / 2,
    )
    return volume.with_voxels(out, there)


def _mirrored(at: np.ndarray, n: int) -> np.ndarray:
    """Positions beyond the first and last slice, reflected at them."""
    return (n - 1) - np.abs((n - 1) - np.abs(at))
