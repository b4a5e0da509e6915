"""NIfTI scans in and out, whatever their axis order, with their exact place in the patient.

NIfTI knows no slice thickness, no modality and no unit of its values. Thickness is the increment
unless it is declared; CT must be HU, and floats in [0, 1] (as RPLHR-CT is distributed) are refused
until the window that maps them to HU is declared.
"""

import gzip
import os
import zlib
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from nibabel.filebasedimages import ImageFileError
from nibabel.spatialimages import HeaderDataError

from thinslice.formats.found import Found, refused
from thinslice.formats.frame import place
from thinslice.formats.nifti_values import voxels_of
from thinslice.volume import Modality, Volume, to_int16

RAS_TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
SUFFIXES = (".nii", ".nii.gz")
AGREE_MM = 0.1  # sform and qform closer than this say the same
FORMS = {348: nib.Nifti1Image, 540: nib.Nifti2Image}  # by size of header


def read(
    path: Path | str,
    *,
    thickness_mm: float | None = None,
    unit_window: tuple[float, float] | None = None,
    modality: Modality = "CT",
) -> Found:
    """A .nii or .nii.gz as a volume [Z, Y, X], CT in HU.

    thickness_mm   of a slice; None: equal to the increment, and ``source`` says so
    unit_window    (low, high) HU that 0 and 1 stand for, for files that hold [0, 1] floats

    Raises Refused for whatever cannot be read exactly: broken files, 4-D, no geometry, sheared
    axes, absurd spacings, NaN, CT whose values are not HU.
    """
    path = Path(path)
    image = _open(path)
    shape = _three_axes(path, image)
    affine, warnings = _geometry(path, image)
    placed = place(path, RAS_TO_LPS @ affine, shape, thickness_mm=thickness_mm)
    voxels, notes = voxels_of(path, image, placed, modality=modality, unit_window=unit_window)
    source: dict[str, Any] = {
        "format": "NIfTI",
        "modality": modality,
        "maker": None,
        "device": None,
        "kernel": None,
        "thickness_mm": thickness_mm,
        "thickness_from": "increment" if thickness_mm is None else "declared",
        "lossy": None,
        "axes": "".join(nib.aff2axcodes(affine)),
        "stored_as": str(image.get_data_dtype()),
        "unit_window": list(unit_window) if unit_window and modality == "CT" else None,
        "warnings": warnings + notes,
    }
    return Found(Volume(voxels, placed.grid, modality), source, (path,))


def write(volume: Volume, path: Path | str) -> None:
    """A volume as NIfTI: int16 HU for CT, float32 for MR; written beside and renamed.

    The axes on disk are L, P, S as in memory; the header's single precision keeps positions
    within 1e-4 mm. Raises ValueError for a path that does not end in .nii or .nii.gz, and for HU
    that do not fit 16 bits.
    """
    path = Path(path)
    if not path.name.endswith(SUFFIXES):
        raise ValueError(f"{path}: expected a name ending in .nii or .nii.gz")
    voxels = to_int16(volume.voxels) if volume.modality == "CT" else volume.voxels
    affine = RAS_TO_LPS @ volume.grid.affine()[:, [2, 1, 0, 3]]
    image = nib.Nifti1Image(voxels.transpose(2, 1, 0), affine)
    image.header.set_xyzt_units("mm", "sec")
    image.header["descrip"] = f"slice thickness {volume.grid.thickness_mm:g} mm".encode()
    image.set_sform(affine, code=1)
    image.set_qform(affine, code=1)
    content = image.to_bytes()
    if path.name.endswith(".gz"):
        content = gzip.compress(content, compresslevel=4, mtime=0)  # same volume, same bytes
    beside = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        beside.write_bytes(content)
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)


def _open(path: Path) -> nib.Nifti1Image:
    """The whole file through memory: only a gzip read to its end has its checksum checked."""
    if path.is_dir():
        inside = sorted(p.name for p in path.iterdir())[:1]
        raise refused(
            path,
            "a folder (holding {})".format(*inside or ["nothing"]),
            "a NIfTI file",
            "name the file inside it",
        )
    if not path.name.endswith(SUFFIXES):
        raise refused(path, f"the name {path.name!r}", "a .nii or .nii.gz file", "convert it")
    content = path.read_bytes()
    size = f"{len(content)} bytes"
    try:
        if content[:2] == b"\x1f\x8b":
            content = gzip.decompress(content)
        head = {int.from_bytes(content[:4], order) for order in ("little", "big")} & FORMS.keys()
        if not head:
            raise refused(
                path,
                f"{size} that do not begin as NIfTI",
                "a NIfTI-1 or NIfTI-2 header",
                "export it again",
            )
        return FORMS[head.pop()].from_bytes(content)
    except (OSError, EOFError, zlib.error, ImageFileError, HeaderDataError) as error:
        raise refused(
            path,
            f"a truncated or corrupt file ({size}: {error})",
            "a whole NIfTI file",
            "copy or export it again",
        ) from error


def _three_axes(path: Path, image: nib.Nifti1Image) -> tuple[int, int, int]:
    shape = tuple(int(n) for n in image.shape)
    if len(shape) < 3 or any(n != 1 for n in shape[3:]):
        raise refused(
            path, f"{len(shape)}-D data of shape {shape}", "one 3-D volume", "split it into volumes"
        )
    return shape[0], shape[1], shape[2]


def _geometry(path: Path, image: nib.Nifti1Image) -> tuple[np.ndarray, list[str]]:
    """4x4 index to RAS, mm, and what is odd about it."""
    header = image.header
    sform, qform = int(header["sform_code"]), int(header["qform_code"])
    if not sform and not qform:
        pixels = " x ".join(f"{p:g}" for p in header.get_zooms()[:3])
        raise refused(
            path,
            f"no geometry (sform and qform codes 0; voxels {pixels})",
            "an sform or a qform",
            "export it with its orientation",
        )
    unit = header.get_xyzt_units()[0]
    if unit not in ("mm", "unknown"):
        raise refused(path, f"lengths in {unit}", "mm", "write its header anew")
    affine = np.asarray(image.affine, float)
    if not (sform and qform):
        return affine, []
    corner = np.array([*image.shape[:3], 1.0])
    apart_mm = np.abs(
        (np.asarray(header.get_sform()) - np.asarray(header.get_qform())) @ corner
    ).max()
    odd = f"sform and qform are {apart_mm:.3g} mm apart at the far corner; the sform is used"
    return affine, [odd] if apart_mm > AGREE_MM else []
