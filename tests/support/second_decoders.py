"""Other people's readers of DICOM: the HU and the places of every voxel, to compare with ours."""

import os
import subprocess
import tarfile
from pathlib import Path

import nibabel as nib
import numpy as np
import pydicom

from support.paths import REAL_SCANS
from thinslice.io.dicom.headers import slices_of
from thinslice.volume import Volume

RAS_TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])


def archives() -> list[str]:
    """Names of the DICOM archives beside the repository."""
    return sorted(path.name.split(".tar")[0] for path in (REAL_SCANS / "dicom").glob("*.tar.xz"))


def unpacked(archive: str, into: Path) -> list[Path]:
    """Folders with files of an archive, once unpacked."""
    with tarfile.open(REAL_SCANS / "dicom" / f"{archive}.tar.xz") as packed:
        packed.extractall(into, filter="data")
    return sorted(Path(top) for top, _, names in os.walk(into) if names)


def by_pydicom(file: Path) -> dict[tuple[float, ...], np.ndarray] | None:
    """{position: HU [row, column]} of a file; None where pydicom has no decoder for it."""
    data = pydicom.dcmread(file)
    try:
        pixels = data.pixel_array
    except (NotImplementedError, RuntimeError):
        return None
    images = pixels if pixels.ndim == 3 else pixels[None]
    slices = slices_of(file)
    out = {}
    for image, header in zip(images, slices, strict=True):
        slope, intercept = header.rescale or (1.0, 0.0)
        assert header.position is not None
        out[header.position] = (image * slope + intercept).astype(np.float32)
    return out


def largest_error_to_pydicom(volume: Volume, files: tuple[Path, ...]) -> float | None:
    """Largest |HU| difference over every voxel; None where pydicom decodes none of the files."""
    to_index, worst = np.linalg.inv(volume.grid.affine()), None
    for file in files:
        decoded = by_pydicom(file)
        headers = {header.position: header for header in slices_of(file)}
        for position, image in (decoded or {}).items():
            header = headers[position]
            x, y = np.array(header.orientation).reshape(2, 3)
            rows_mm, columns_mm = header.pixel_mm or (1.0, 1.0)
            j, i = np.indices(image.shape).reshape(2, -1)
            mm = (
                np.array(position)[:, None] + x[:, None] * columns_mm * i + y[:, None] * rows_mm * j
            )
            index = np.rint((to_index @ np.vstack([mm, np.ones(mm.shape[1])]))[:3]).astype(int)
            apart = np.abs(volume.as_in_file()[tuple(index)] - image.ravel()).max()
            worst = max(worst or 0.0, float(apart))
    return worst


def errors_to_dcm2niix(volume: Volume, folder: Path, out: Path) -> tuple[float, float] | None:
    """Largest |HU| difference and largest distance of a voxel, mm; None if it converts none."""
    out.mkdir()
    command = ["dcm2niix", "-o", str(out), "-f", "s", str(folder)]
    subprocess.run(command, capture_output=True, check=False)
    images = [nib.Nifti1Image.from_filename(path) for path in sorted(out.glob("*.nii"))]
    images = [image for image in images if np.prod(image.shape) == volume.voxels.size]
    if len(images) != 1:
        return None
    values = np.asarray(images[0].dataobj, np.float32)
    values = values.reshape([n for n in values.shape if n > 1] if values.ndim > 3 else values.shape)
    index = np.indices(values.shape).reshape(3, -1)
    to_mm = RAS_TO_LPS @ images[0].affine
    ours = np.linalg.inv(volume.grid.affine()) @ to_mm @ np.vstack([index, np.ones(index.shape[1])])
    rounded = np.rint(ours[:3]).astype(int)
    scale = np.linalg.norm(volume.grid.affine()[:3, :3], axis=0)[:, None]
    apart_mm = float(np.linalg.norm((ours[:3] - rounded) * scale, axis=0).max())
    apart_hu = np.abs(volume.as_in_file()[tuple(rounded)] - values.ravel()).max()
    return float(apart_hu), apart_mm


def image_by_dcm2niix(file: Path, folder: Path) -> np.ndarray | None:
    """HU [row, column] of a file with one image; None if dcm2niix makes none or several of it."""
    source, out = folder / "one", folder / "out"
    source.mkdir()
    out.mkdir()
    (source / "a.dcm").write_bytes(file.read_bytes())
    command = ["dcm2niix", "-o", str(out), "-f", "s", str(source)]
    subprocess.run(command, capture_output=True, check=False)
    images = list(out.glob("*.nii"))
    if len(images) != 1:
        return None
    values = np.asarray(nib.Nifti1Image.from_filename(images[0]).dataobj, np.float32)
    values = values.reshape(values.shape[:2]) if values.size == np.prod(values.shape[:2]) else None
    return None if values is None else values[:, ::-1].T
