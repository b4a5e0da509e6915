"""Labels in a NIfTI file, taken at the voxels of a grid: the nearest one, nothing is mixed."""

from pathlib import Path

import nibabel as nib
import numpy as np

from thinslice.errors import in_one_line, refused
from thinslice.volume import Grid

RAS_TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
ALIGNED = 1e-3  # share of a voxel that an axis may lean into another one over the whole file


def labels_on(path: Path, grid: Grid, most: int) -> np.ndarray:
    """Labels uint8 [Z, Y, X] at the voxel centres of a grid.

    most    the largest label there may be

    Refused for a file whose axes are turned against the grid, that does not cover it, or that
    holds anything but whole numbers up to ``most``.
    """
    with in_one_line(path, "a NIfTI file of labels"):
        image = nib.load(path)  # pyright: ignore[reportPrivateImportUsage]
        stored = np.asanyarray(image.dataobj)  # pyright: ignore[reportAttributeAccessIssue]
        affine = np.asarray(image.affine, float)  # pyright: ignore[reportAttributeAccessIssue]
    if stored.ndim != 3:
        raise refused(path, f"{stored.ndim} axes", "three", "is it the published file?")
    to_file = np.linalg.inv(RAS_TO_LPS @ affine) @ grid.affine()  # of (z, y, x) indices
    order = np.abs(to_file[:3, :3]).argmax(0)  # the file's axis along z, y, x
    if sorted(order) != [0, 1, 2] or _leans(to_file[:3, :3], order, grid):
        raise refused(path, "axes turned against the scan", "those of the scan", "leave it out")
    taken = [
        _indices(path, to_file[axis, column], to_file[axis, 3], n, stored.shape[axis])
        for column, (axis, n) in enumerate(zip(order, grid.zyx, strict=True))
    ]
    found = stored.transpose(order)[np.ix_(*taken)]
    wrong = (found != np.rint(found)) | (found < 0) | (found > most)
    if wrong.any():
        raise refused(path, f"a label {found[wrong][0]:g}", f"0 to {most}", "is it the right file?")
    return found.astype(np.uint8)


def _leans(turn: np.ndarray, order: np.ndarray, grid: Grid) -> bool:
    rest = np.abs(turn * np.array(grid.zyx))
    rest[order, np.arange(3)] = 0
    return bool(rest.max() > max(grid.zyx) * ALIGNED)


def _indices(path: Path, step: float, first: float, n: int, size: int) -> np.ndarray:
    """The nearest of the file's ``size`` indices for each of n positions."""
    at = np.rint(first + step * np.arange(n)).astype(int)
    if at.min() < 0 or at.max() >= size:
        found = f"{size} voxels along an axis of which {at.min()} to {at.max()} are needed"
        raise refused(path, found, "labels of the whole scan", "are they of this scan?")
    return at
