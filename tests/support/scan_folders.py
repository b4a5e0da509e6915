"""Tiny synthetic scans in the exact layout of RPLHR-CT, L291 and NAMIC."""

from pathlib import Path

import nibabel as nib
import numpy as np
import SimpleITK

from support import dicom_maker

L291_MM = 0.7421875
RPLHR_RAS = np.diag([-0.7, -0.7, 1.0, 1.0])


def chest_zyx(n: int, seed: int = 0) -> np.ndarray:
    """Noisy tissue in air, HU, float32 [Z, 9, 8]."""
    hu = np.full((n, 9, 8), -1000.0, np.float32)
    hu[:, 2:-2, 2:-2] = np.random.default_rng(seed).integers(-100, 300, (n, 5, 4))
    return hu


def write_rplhr(path: Path, hu_zyx: np.ndarray, increment_mm: float, *, unit: bool) -> None:
    """As distributed: x first, slices to the head; [0, 1] of [-1024, 2048] HU, or int16 HU."""
    path.parent.mkdir(parents=True, exist_ok=True)
    ras = RPLHR_RAS.copy()
    ras[2, 2] = increment_mm
    values = ((hu_zyx + 1024) / 3072).astype(np.float32) if unit else hu_zyx.astype(np.int16)
    image = nib.Nifti1Image(values.transpose(2, 1, 0), ras)
    image.header.set_xyzt_units("mm")
    nib.save(image, path)


def rplhr_folder(
    folder: Path, train: int = 2, val: int = 1, test: int = 2, *, unit: bool = True
) -> dict[str, int]:
    """{train,val,test}/{1mm,5mm}/<case>.nii.gz: 3 thick slices on 11 thin ones."""
    counts = {"train": train, "val": val, "test": test}
    number = 0
    for split, n in counts.items():
        for _ in range(n):
            name = f"CT{number:08d}.nii.gz"
            thin = chest_zyx(11, number)
            write_rplhr(folder / split / "1mm" / name, thin, 1.0, unit=unit)
            write_rplhr(folder / split / "5mm" / name, thin[::5], 5.0, unit=unit)
            number += 1
    return counts


def l291_folder(folder: Path, n: int = 6) -> Path:
    """.IMA files whose names run down the z axis; 3 mm slices every 2 mm."""
    hu = dicom_maker.scan_hu(n, 8, 8)
    for k in range(n):
        data = dicom_maker.image(
            (hu[k] + 1024).astype(np.int16),
            (-2.5, -2.5, -62.0 - 2 * k),
            pixel_mm=(L291_MM, L291_MM),
            thickness_mm=3.0,
        )
        name = f"L291_FD_3_SHARP_1.CT.0001.{k + 1:04d}.2016.01.21.13.30.36.487278.{k}.IMA"
        path = folder / "L291/full_3mm_sharp" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        data.save_as(path, enforce_file_format=True)
    return folder / "L291/full_3mm_sharp"


def write_namic(path: Path, values: np.ndarray, *, space: bool = True) -> None:
    """One .nrrd, axes (z, y, x) of the array x fastest; 1 mm, place in the patient or none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = SimpleITK.GetImageFromArray(values.astype(np.int16))
    image.SetOrigin((-3.0, 4.0, 5.0))
    SimpleITK.WriteImage(image, str(path), useCompression=True)
    if not space:
        lines = path.read_bytes().split(b"\n")
        placed = (b"space", b"kinds")
        path.write_bytes(b"\n".join(line for line in lines if not line.startswith(placed)))


def namic_folder(folder: Path, n: int = 4) -> None:
    """case<id>/<id>-t1w.nrrd and -t2w.nrrd: 9 slices of 8 x 8 pixels; and other files."""
    for number in range(n):
        case = f"{1011 + 4 * number:05d}"
        for k, contrast in enumerate(("t1w", "t2w")):
            values = np.random.default_rng((number, k)).integers(0, 900, (9, 8, 8))
            write_namic(folder / f"case{case}" / f"{case}-{contrast}.nrrd", values)
        (folder / f"case{case}" / f"{case}-FA.nrrd").write_bytes(b"not looked at")
        (folder / f"case{case}" / "brainmask.mgz").write_bytes(b"not looked at")
