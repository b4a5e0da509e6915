"""A NIfTI file before its values: is it whole, has it three axes, where does it lie.

The whole file goes through memory, because only a gzip read to its end has its checksum checked.
"""

import gzip
import zlib
from pathlib import Path

import nibabel as nib
import numpy as np
from nibabel.filebasedimages import ImageFileError
from nibabel.spatialimages import HeaderDataError
from nibabel.wrapstruct import WrapStructError

from thinslice.formats.found import refused

SUFFIXES = (".nii", ".nii.gz")
AGREE_MM = 0.1  # sform and qform closer than this say the same
FORMS = {348: nib.Nifti1Image, 540: nib.Nifti2Image}  # by size of header
UNITS_OF_MM = (0, 2)  # unknown, which everyone takes for mm, and mm
UNITS = {1: "m", 3: "micron"}
BROKEN = (
    OSError,
    EOFError,
    ValueError,
    OverflowError,
    ImageFileError,
    HeaderDataError,
    WrapStructError,
)


def opened(path: Path) -> nib.Nifti1Image:
    """The image, its values not looked at yet; Refused if it is not one whole NIfTI file."""
    content = _content(path)
    head = {int.from_bytes(content[:4], order) for order in ("little", "big")} & FORMS.keys()
    if not head:
        found = f"{len(content)} bytes that do not begin as NIfTI"
        raise refused(path, found, "a NIfTI-1 or NIfTI-2 header", "export it again")
    try:
        return FORMS[head.pop()].from_bytes(content)
    except BROKEN as error:
        raise _broken(path, len(content), error) from error


def three_axes(path: Path, image: nib.Nifti1Image) -> tuple[int, int, int]:
    """Shape along the file's axes; Refused for anything but one 3-D volume."""
    shape = tuple(int(n) for n in image.shape)
    if len(shape) < 3 or any(n != 1 for n in shape[3:]) or min(shape) < 1:
        found = f"{len(shape)}-D data of shape {shape}"
        raise refused(path, found, "one 3-D volume", "split it into volumes")
    return shape[0], shape[1], shape[2]


def geometry(path: Path, image: nib.Nifti1Image) -> tuple[np.ndarray, list[str]]:
    """4x4 index to RAS, mm, and what is odd about it; Refused where the file does not say it."""
    header = image.header
    sform, qform = int(header["sform_code"]), int(header["qform_code"])
    if not sform and not qform:
        pixels = " x ".join(f"{p:g}" for p in header.get_zooms()[:3])
        found = f"no geometry (sform and qform codes 0; voxels {pixels})"
        raise refused(path, found, "an sform or a qform", "export it with its orientation")
    unit = int(header["xyzt_units"]) % 8
    if unit not in UNITS_OF_MM:
        found = f"lengths in {UNITS.get(unit, f'an unknown unit, {unit}')}"
        raise refused(path, found, "mm", "write its header anew")
    affine = np.asarray(image.affine, float)
    if not (sform and qform):
        return affine, []
    corner = np.array([*image.shape[:3], 1.0])
    apart = (np.asarray(header.get_sform()) - np.asarray(header.get_qform())) @ corner
    apart_mm = np.abs(apart).max()
    odd = f"sform and qform are {apart_mm:.3g} mm apart at the far corner; the sform is used"
    return affine, [odd] if apart_mm > AGREE_MM else []


def _content(path: Path) -> bytes:
    if path.is_dir():
        inside = ", ".join(sorted(p.name for p in path.iterdir())[:1]) or "nothing"
        found = f"a folder (holding {inside})"
        raise refused(path, found, "a NIfTI file", "name the file inside it")
    if not path.name.endswith(SUFFIXES):
        raise refused(path, f"the name {path.name!r}", "a .nii or .nii.gz file", "convert it")
    content = path.read_bytes()
    if content[:2] != b"\x1f\x8b":
        return content
    try:
        return gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as error:
        raise _broken(path, len(content), error) from error


def _broken(path: Path, size: int, error: Exception) -> Exception:
    found = f"a truncated or corrupt file ({size} bytes: {error})"
    return refused(path, found, "a whole NIfTI file", "copy or export it again")
