"""Read a NIfTI header: completeness, three axes, position in the patient.

A gzip is read to its end, because only then its checksum is checked; of what it holds no more than
the header promises is kept.
"""

import gzip
import io
import math
import zlib
from pathlib import Path
from typing import IO, cast

import nibabel as nib
import numpy as np
from nibabel.filebasedimages import ImageFileError
from nibabel.spatialimages import HeaderDataError
from nibabel.wrapstruct import WrapStructError

from thinslice.errors import Refused, refused

SUFFIXES = (".nii", ".nii.gz")
AGREE_MM = 0.1  # sform and qform closer than this say the same
FORMS = {348: nib.Nifti1Image, 540: nib.Nifti2Image}  # by size of header
UNITS_OF_MM = (0, 2)  # unknown, which everyone takes for mm, and mm
UNITS = {1: "m", 3: "micron"}
SQUARE = 1.5  # pixels longer than this many times their width are not the pixels of a slice
MOST_VOXELS = 1 << 33  # 64 times 512 x 512 x 512
PIECE = 1 << 24  # bytes read at once
BROKEN = (
    OSError,
    EOFError,
    ValueError,
    OverflowError,
    TypeError,
    zlib.error,
    ImageFileError,
    HeaderDataError,
    WrapStructError,
)


def opened(path: Path) -> nib.Nifti1Image:
    """The image, its values not looked at yet; Refused if it is not one whole NIfTI file."""
    _is_a_file(path)
    size = path.stat().st_size
    try:
        with path.open("rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
            file.seek(0)
            return _image(path, cast(IO[bytes], gzip.open(file) if packed else file))
    except (PermissionError, FileNotFoundError, Refused):
        raise
    except BROKEN as error:
        found = f"a truncated or corrupt file ({size} bytes: {error})"
        raise refused(path, found, "a whole NIfTI file", "copy or export it again") from error


def _image(path: Path, file: IO[bytes]) -> nib.Nifti1Image:
    """The header, then as many bytes as it promises, then the rest, which is dropped."""
    start = file.read(4)
    head = {int.from_bytes(start, order) for order in ("little", "big")} & FORMS.keys()
    if not head:
        size = len(start) + _dropped(file)
        found = f"{size} bytes that do not begin as NIfTI"
        raise refused(path, found, "a NIfTI-1 or NIfTI-2 header", "export it again")
    form = FORMS[head.pop()]
    size = form.header_class.template_dtype.itemsize
    start += file.read(size - 4)
    header = form.header_class.from_fileobj(io.BytesIO(start), check=False)
    _sane(path, header)
    promised = int(header["vox_offset"]) + header.get_data_dtype().itemsize * _voxels(header)
    content = io.BytesIO(start)
    content.seek(0, io.SEEK_END)
    while (more := promised - content.tell()) > 0 and (piece := file.read(min(more, PIECE))):
        content.write(piece)
    _dropped(file)
    if content.tell() < promised:
        found = f"a truncated file: {content.tell()} bytes when unpacked, with header"
        raise refused(path, found, f"{promised}", "copy or export it again")
    content.seek(0)
    return form.from_stream(content)


def _dropped(file: IO[bytes]) -> int:
    """Count the bytes to the end of a file; reading a gzip verifies its checksum."""
    count = 0
    while piece := file.read(PIECE):
        count += len(piece)
    return count


def _voxels(header: nib.Nifti1Header) -> int:
    return math.prod(int(n) for n in header.get_data_shape())


def _sane(path: Path, header: nib.Nifti1Header) -> None:
    """Refuse impossible sizes and spacings, which nibabel would repair silently."""
    sizes = [int(n) for n in header["dim"]]
    axes = sizes[0]
    if not 1 <= axes <= 7 or min(sizes[1 : axes + 1]) < 1 or _voxels(header) > MOST_VOXELS:
        found = f"sizes {sizes[1:]} of {axes} axes"
        raise refused(path, found, "three sizes of 1 or more", "copy or export it again")
    try:
        header.get_data_dtype()
    except LookupError:
        found = f"voxels of the unknown type {int(header['datatype'])}"
        raise refused(path, found, "a type of NIfTI", "copy or export it again") from None
    offset = float(header["vox_offset"])
    if not 0 <= offset <= PIECE:
        raise refused(path, f"voxels at byte {offset:g}", "them behind the header", "export again")
    pixdim = [float(p) for p in header["pixdim"][1:4]]
    if (
        not int(header["sform_code"])
        and int(header["qform_code"])
        and not all(np.isfinite(p) and p > 0 for p in pixdim)
    ):
        found = "voxels of " + " x ".join(f"{p:g}" for p in pixdim) + " mm"
        raise refused(path, found, "sizes above 0", "write its header anew")


def three_axes(path: Path, image: nib.Nifti1Image) -> tuple[int, int, int]:
    """Shape along the file's axes; Refused for anything but one 3-D volume."""
    shape = tuple(int(n) for n in image.shape)
    if len(shape) < 3 or any(n != 1 for n in shape[3:]) or min(shape) < 1:
        found = f"{len(shape)}-D data of shape {shape}"
        raise refused(path, found, "one 3-D volume", "split it into volumes")
    return shape[0], shape[1], shape[2]


def geometry(path: Path, image: nib.Nifti1Image) -> tuple[np.ndarray, list[str]]:
    """4x4 from index to RAS, mm, and warnings about it; Refused where the file has none."""
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
    try:
        apart = (np.asarray(header.get_sform()) - np.asarray(header.get_qform())) @ corner
    except BROKEN as error:
        return affine, [f"a qform that is none ({error}); the sform is used"]
    apart_mm = np.abs(apart).max()
    odd = f"sform and qform are {apart_mm:.3g} mm apart at the far corner; the sform is used"
    return affine, [] if apart_mm <= AGREE_MM else [odd]


def through_plane(image: nib.Nifti1Image, affine: np.ndarray) -> tuple[int | None, list[str]]:
    """The axis that the header names as the slices' (``slice_dim``), None where it names none.

    It is not believed, and a note says so, where the pixels of a slice would be longer than
    ``SQUARE`` times their width: software that exchanges axes forgets to tell the header.
    """
    named = image.header.get_dim_info()[2]
    if named is None:
        return None, []
    spacing_mm = np.linalg.norm(affine[:3, :3], axis=0)
    a, b = np.delete(spacing_mm, named)
    if max(a, b) <= SQUARE * min(a, b):
        return int(named), []
    return None, [f"slice_dim names an axis with pixels of {a:g} x {b:g} mm; it is not believed"]


def _is_a_file(path: Path) -> None:
    if path.is_dir():
        inside = ", ".join(sorted(p.name for p in path.iterdir())[:1]) or "nothing"
        found = f"a folder (holding {inside})"
        raise refused(path, found, "a NIfTI file", "name the file inside it")
    if not path.name.endswith(SUFFIXES):
        raise refused(path, f"the name {path.name!r}", "a .nii or .nii.gz file", "convert it")
