"""Tiny scans in the exact layout of published data sets: names, folders, axes, archives."""

import hashlib
import tarfile
from collections.abc import Iterable, Mapping
from pathlib import Path

import nibabel as nib
import numpy as np

KITS_RAS = np.array([[0, 0, -0.8, 50], [0, -0.7, 0, 60], [-1.0, 0, 0, 400], [0, 0, 0, 1]])
MSD_RAS = np.diag([0.8, 0.7, 1.0, 1.0])
IXI_RAS = np.diag([-0.9375, 0.9375, 1.25, 1.0])


def body_zyx(seed: int, n: int = 12, rows: int = 16, columns: int = 18) -> np.ndarray:
    """Noisy tissue in air, int16 [Z, Y, X]."""
    hu = np.full((n, rows, columns), -1000)
    hu[:, 3:-2, 2:-4] = np.random.default_rng(seed).integers(-100, 300, (n, rows - 5, columns - 6))
    return hu.astype(np.int16)


def write_kits(path: Path, file_zyx: np.ndarray, increment_mm: float = 1.0) -> None:
    """KiTS: z first, slices to the feet."""
    ras = KITS_RAS.copy()
    ras[2, 0] = -increment_mm
    write_scan(path, file_zyx, ras)


def write_msd(path: Path, file_zyx: np.ndarray, increment_mm: float = 1.0) -> None:
    """MSD: x first, to the right, the front and the head."""
    ras = MSD_RAS.copy()
    ras[2, 2] = increment_mm
    write_scan(path, file_zyx.transpose(2, 1, 0), ras)


def write_ixi(path: Path, file_zyx: np.ndarray) -> None:
    """IXI: x first."""
    write_scan(path, np.abs(file_zyx).transpose(2, 1, 0), IXI_RAS)


def write_scan(path: Path, voxels: np.ndarray, ras: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = nib.Nifti1Image(voxels, ras)
    image.set_sform(ras, 1)
    image.header.set_xyzt_units("mm")
    nib.save(image, path)


def kits_folder(folder: Path, cases: Iterable[str]) -> None:
    for seed, case in enumerate(cases):
        write_kits(folder / case / "imaging.nii.gz", body_zyx(seed))


def kits_labels(folder: Path, cases: Iterable[str]) -> None:
    """Labels of scans that are there: what is bright, as the second structure."""
    for case in cases:
        scan = nib.Nifti1Image.load(folder / case / "imaging.nii.gz")
        labels = 2 * (np.asarray(scan.dataobj) > 100).astype(np.uint8)
        write_scan(folder / case / "segmentation.nii.gz", labels, scan.affine)


def msd_folder(folder: Path, tasks: Mapping[str, str]) -> None:
    """Scans of every case in the folder of its task; every other one has no labels."""
    for seed, (case, task) in enumerate(tasks.items()):
        part = ("imagesTr", "imagesTs")[seed % 2]
        write_msd(folder / task / part / f"{case}.nii.gz", body_zyx(seed))


def ixi_folder(folder: Path, n: int) -> None:
    """``n`` scans of Hammersmith, and two of other sites."""
    for number in range(n):
        name = f"IXI{number + 12:03d}-HH-{number + 1211}-T2.nii.gz"
        write_ixi(folder / name, body_zyx(number, 12, 8, 9))
    write_ixi(folder / "IXI002-Guys-0828-T2.nii.gz", body_zyx(0))
    write_ixi(folder / "IXI025-IOP-0852-T2.nii.gz", body_zyx(0))


def archived(folder: Path, archive: Path, *, dot: bool = False) -> str:
    """Archive a folder as tar, with the ._ files of macOS; returns the MD5."""
    archive.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(archive, "w") as tar:
        for path in sorted(folder.rglob("*.nii.gz")):
            name = path.relative_to(folder)
            shadow = tarfile.TarInfo(str(name.with_name(f"._{name.name}")))
            tar.addfile(shadow)
            tar.add(path, f"./{name}" if dot else str(name))
    return hashlib.md5(archive.read_bytes()).hexdigest()
