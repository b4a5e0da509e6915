"""Measure random training crops from a store against .nii.gz by nibabel and SimpleITK.

A CT-like volume of 300 x 512 x 512 is made from a seed and written each way; the same random
16 x 256 x 256 crops are read from each, as float32, and must be equal. Every reader stays open and
reads the crop only: nibabel through ``dataobj``, SimpleITK by extracting the region.
Files are in the page cache, so this times decoding, not the disk: CPU milliseconds, user and
system, of all crops together, every reader twice in turn.

    python benchmarks/store_crops.py [--crops 20]
"""

import argparse
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import nibabel as nib
import numpy as np
import SimpleITK as sitk  # noqa: N813
from measuring import alternately, reached, table
from scipy import ndimage

from thinslice import store
from thinslice.volume import Grid, Volume

ZYX = (300, 512, 512)
CROP = (16, 256, 256)
GRID = Grid(n=300, increment_mm=1.0, thickness_mm=1.0, shape=(512, 512), pixel_mm=(0.7, 0.7))

Read = Callable[[int, int, int], np.ndarray]


def ct_like(seed: int = 0) -> np.ndarray:
    """int16 [Z, Y, X]: smooth tissue from air to bone, with 20 HU of noise."""
    rng = np.random.default_rng(seed)
    coarse = rng.normal(-300, 500, (12, 16, 16)).astype(np.float32)
    hu = ndimage.zoom(coarse, np.divide(ZYX, coarse.shape), order=1, grid_mode=True, mode="nearest")
    for plane in hu:
        plane += 20 * rng.standard_normal(plane.shape, np.float32)
    return np.clip(np.rint(hu), -1024, 3071).astype(np.int16)


def store_reader(hu: np.ndarray, folder: Path) -> Read:
    """Write the volume to a store; a function that reads crops of it."""
    path = folder / "ct.zarr"
    with store.writing(path) as writer:
        writer.add("ct", Volume(hu.astype(np.float32), GRID))
    scan = store.open_store(path).scan("ct")

    def read(z: int, y: int, x: int) -> np.ndarray:
        return scan.read(*(slice(at, at + n) for at, n in zip((z, y, x), CROP)))

    return read


def nibabel_reader(hu: np.ndarray, folder: Path) -> Read:
    """Write the volume by nibabel; a function that reads crops of it."""
    path = folder / "nibabel.nii.gz"
    nib.save(nib.Nifti1Image(hu.T, np.diag([0.7, 0.7, 1, 1])), path)
    data = nib.load(path).dataobj  # type: ignore[attr-defined]
    (dz, dy, dx) = CROP

    def read(z: int, y: int, x: int) -> np.ndarray:
        return np.asarray(data[x : x + dx, y : y + dy, z : z + dz], np.float32).T

    return read


def simpleitk_reader(hu: np.ndarray, folder: Path) -> Read:
    """Write the volume by SimpleITK; a function that reads crops of it."""
    path = folder / "simpleitk.nii.gz"
    sitk.WriteImage(sitk.GetImageFromArray(hu), path)
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    reader.ReadImageInformation()
    reader.SetExtractSize(CROP[::-1])

    def read(z: int, y: int, x: int) -> np.ndarray:
        reader.SetExtractIndex((x, y, z))
        return sitk.GetArrayFromImage(reader.Execute()).astype(np.float32)

    return read


def checked(read: Read, hu: np.ndarray, corner: np.ndarray) -> None:
    """One crop, compared with the volume in memory; it also warms the reader up."""
    crop = read(*map(int, corner))
    np.testing.assert_array_equal(crop, hu[tuple(map(slice, corner, corner + CROP))])


def main() -> None:
    """Print one row a reader."""
    parser = argparse.ArgumentParser(description="Random crops: store against .nii.gz")
    parser.add_argument("--crops", type=int, default=20, help="random crops per reader")
    n = parser.parse_args().crops
    corners = np.random.default_rng(1).integers(0, np.subtract(ZYX, CROP) + 1, (n, 3))
    hu = ct_like()
    with tempfile.TemporaryDirectory() as folder:
        readers = {name: make(hu, Path(folder)) for name, make in READERS.items()}
        for read in readers.values():
            checked(read, hu, corners[0])
        seconds = alternately(
            {name: partial(_all, read, corners) for name, read in readers.items()}, times=2
        )
    print(f"{n} random crops {CROP} of int16 {ZYX}, as float32")
    print(table(seconds, 1000 / n, "ms a crop"))
    reached(
        "crop 16 x 256 x 256 against nibabel, user",
        seconds["nibabel .nii.gz"].user / seconds[OURS].user,
    )


def _all(read: Read, corners: np.ndarray) -> None:
    for corner in corners:
        read(*map(int, corner))


OURS = "thinslice store"
READERS = {
    OURS: store_reader,
    "nibabel .nii.gz": nibabel_reader,
    "SimpleITK .nii.gz": simpleitk_reader,
}

if __name__ == "__main__":
    main()
