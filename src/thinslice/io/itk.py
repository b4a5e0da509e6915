"""Images that ITK decoded, as scans: their axes, position and values."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from thinslice.errors import refused
from thinslice.io.nifti.values import checked
from thinslice.io.orientation import place
from thinslice.io.padding import settled
from thinslice.io.scan import LoadedScan, source_without_scanner
from thinslice.volume import Modality, Volume

if TYPE_CHECKING:
    import SimpleITK


def scan_of(
    path: Path,
    image: "SimpleITK.Image",
    about: Mapping[str, Any],
    *,
    modality: Modality,
    thickness_mm: float | None,
    through_plane: int | None = None,
    unit_window: tuple[float, float] | None = None,
    files: tuple[Path, ...],
) -> LoadedScan:
    """The scan in an image: voxels [Z, Y, X], CT in HU.

    about   what else the source says: format and the like

    Refused for NaN, for labels, and for CT whose values are not HU.
    """
    placed = place(
        path, affine_of(image), image.GetSize(), thickness_mm=thickness_mm,
        through_plane=through_plane,
    )  # fmt: skip
    import SimpleITK

    stored = SimpleITK.GetArrayViewFromImage(image)
    voxels = np.empty(placed.grid.zyx, np.float32)
    placed.file_view(voxels)[...] = stored.transpose(2, 1, 0)
    real = stored.dtype.kind == "f"
    voxels, notes = checked(path, voxels, real, modality=modality, unit_window=unit_window)
    source = {
        **source_without_scanner(str(about["format"]), modality, thickness_mm),
        **about,
        "slice_axis": placed.order[0],
        "stored_as": image.GetPixelIDTypeAsString(),
        "unit_window": list(unit_window) if unit_window and modality == "CT" else None,
        "warnings": notes,
    }
    volume = Volume(voxels, placed.grid, modality)
    if unit_window is None:
        volume, odd_values = settled(path, volume)
        notes += odd_values
    return LoadedScan(volume, source, files)


def affine_of(image: "SimpleITK.Image") -> np.ndarray:
    """4x4, file index to patient LPS, mm, as ITK holds it."""
    affine = np.eye(4)
    axes = np.array(image.GetDirection()).reshape(3, 3)
    affine[:3, :3] = axes * np.array(image.GetSpacing())
    affine[:3, 3] = image.GetOrigin()
    return affine


def opened(path: Path, io_class: str, called: str) -> "SimpleITK.Image":
    """The whole image; Refused where ITK cannot read it, or it is no 3-D image of numbers."""
    import SimpleITK

    header_of(path, io_class, called)
    try:
        return SimpleITK.ReadImage(str(path), imageIO=io_class)
    except RuntimeError as error:
        raise _broken(path, called, error) from error


def header_of(path: Path, io_class: str, called: str) -> "SimpleITK.ImageFileReader":
    """The header alone; Refused as by ``opened``."""
    import SimpleITK

    reader = SimpleITK.ImageFileReader()
    reader.SetImageIO(io_class)
    reader.SetFileName(str(path))
    try:
        reader.ReadImageInformation()
    except RuntimeError as error:
        raise _broken(path, called, error) from error
    if reader.GetDimension() != 3 or reader.GetNumberOfComponents() != 1:
        found = f"{reader.GetDimension()}-D data, {reader.GetNumberOfComponents()} values per voxel"
        raise refused(path, found, "one 3-D volume of numbers", "name the scan, not its derivative")
    return reader


def _broken(path: Path, called: str, error: RuntimeError) -> Exception:
    reason = str(error).strip().splitlines()[-1].strip()
    found = f"a broken {called} ({path.stat().st_size} bytes; {reason})"
    return refused(path, found, "a whole one", "copy or export it again")
