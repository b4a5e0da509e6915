"""Check that a restored scan fits on its disk, before hours are spent on it."""

import os
import shutil
from pathlib import Path

from thinslice.errors import refused
from thinslice.volume import Grid, Modality

BYTES = {"CT": 2, "MR": 4}  # of a voxel, at most; MR as DICOM has 2
PACKED = 0.1  # a lower bound: noise keeps a CT from being compressed so far


def least_bytes(out: Path, grid: Grid, modality: Modality) -> float:
    """A lower bound on the size of ``out``; its ending tells whether voxels are compressed."""
    voxels = grid.n * grid.shape[0] * grid.shape[1]
    if out.name.endswith(".nii"):
        return voxels * BYTES[modality]
    return voxels * 2 * (PACKED if out.name.endswith((".gz", ".zarr")) else 1)


def refuse_full(out: Path, grid: Grid, modality: Modality) -> None:
    """Refuse a disk with less free space than is needed for certain.

    A quota may leave less than the disk has, and others write too: a disk that passes may still be
    full in the end.
    """
    folder = out.absolute().parent
    while not os.path.lexists(folder):
        folder = folder.parent
    disk, needed = shutil.disk_usage(folder), least_bytes(out, grid, modality)
    if 0 < disk.total and disk.free < needed:  # some network disks do not tell
        found = f"{_words(disk.free)} free in {folder}"
        raise refused(out, found, f"at least {_words(needed)}", "make room, or choose another disk")


def _words(count: float) -> str:
    for unit, size in (("GB", 1e9), ("MB", 1e6)):
        if count >= size:
            return f"{count / size:.3g} {unit}"
    return f"{count / 1e3:.3g} kB"
