"""Judge a NIfTI header: sizes, three axes, position in the patient, and what the values are.

The sform is used where there is one, else the qform. A sform and voxel sizes (pixdim) that differ
by more than rounding are refused: readers of this format are divided over which to believe.
"""

import math
from pathlib import Path

import nibabel as nib
import numpy as np
from nibabel.spatialimages import HeaderDataError

from thinslice.errors import refused

AGREE_MM = 0.1  # sform and qform closer than this say the same
ROUNDED = 0.01  # relative difference of pixdim and sform that rounding explains
TURNED_DEG = 45.0  # axes of sform and qform farther apart point to different sides of the patient
UNITS_OF_MM = (0, 2)  # unknown, which everyone takes for mm, and mm
UNITS = {1: "m", 3: "micron"}
LABELS = {1002: "labels", 1005: "names of structures"}  # intent_code
NO_INTENT = (0, 1001)  # none, an estimate of what is measured
SQUARE = 1.5  # pixels longer than this many times their width are not the pixels of a slice
MOST_VOXELS = 1 << 33  # 64 times 512 x 512 x 512
FARTHEST = 1 << 24  # bytes before the voxels


def voxels_in(header: nib.Nifti1Header) -> int:
    """How many voxels a header promises."""
    return math.prod(int(n) for n in header.get_data_shape())


def refuse_impossible(path: Path, header: nib.Nifti1Header) -> None:
    """Refuse impossible sizes and spacings, which nibabel would repair silently."""
    sizes = [int(n) for n in header["dim"]]
    axes = sizes[0]
    if not 1 <= axes <= 7 or min(sizes[1 : axes + 1]) < 1 or voxels_in(header) > MOST_VOXELS:
        found = f"sizes {sizes[1:]} of {axes} axes"
        raise refused(path, found, "three sizes of 1 or more", "copy or export it again")
    try:
        header.get_data_dtype()
    except LookupError:
        found = f"voxels of the unknown type {int(header['datatype'])}"
        raise refused(path, found, "a type of NIfTI", "copy or export it again") from None
    offset = float(header["vox_offset"])
    if not 0 <= offset <= FARTHEST or not offset.is_integer():
        raise refused(path, f"voxels at byte {offset:g}", "them behind the header", "export again")
    pixdim = _pixdim(header)
    by_qform = not int(header["sform_code"]) and int(header["qform_code"])
    if by_qform and not _are_lengths(pixdim):
        raise refused(path, f"voxels of {_mm(pixdim)}", "sizes above 0", "write its header anew")


def three_axes(path: Path, header: nib.Nifti1Header) -> tuple[int, int, int]:
    """Shape along the file's axes; Refused for anything but one 3-D volume."""
    shape = tuple(int(n) for n in header.get_data_shape())
    if len(shape) < 3 or any(n != 1 for n in shape[3:]) or min(shape) < 1:
        found = f"{len(shape)}-D data of shape {shape}"
        raise refused(path, found, "one 3-D volume", "split it into volumes")
    return shape[0], shape[1], shape[2]


def geometry(path: Path, header: nib.Nifti1Header) -> tuple[np.ndarray, list[str]]:
    """4x4 from index to RAS, mm, and warnings about it; Refused where the file has none.

    Refused too where sform and pixdim differ by more than ``ROUNDED``, and where sform and qform
    point to different sides of the patient.
    """
    sform, qform = int(header["sform_code"]), int(header["qform_code"])
    if not sform and not qform:
        pixels = " x ".join(f"{p:g}" for p in header.get_zooms()[:3])
        found = f"no geometry (sform and qform codes 0; voxels {pixels})"
        raise refused(path, found, "an sform or a qform", "export it with its orientation")
    unit = int(header["xyzt_units"]) % 8
    if unit not in UNITS_OF_MM:
        found = f"lengths in {UNITS.get(unit, f'an unknown unit, {unit}')}"
        raise refused(path, found, "mm", "write its header anew")
    affine = np.asarray(header.get_best_affine(), float)
    if not sform:
        return affine, []
    notes = _against_pixdim(path, header, affine)
    compare = qform and _are_lengths(_pixdim(header))
    return affine, notes + (_against_qform(path, header, affine) if compare else [])


def _against_pixdim(path: Path, header: nib.Nifti1Header, affine: np.ndarray) -> list[str]:
    """Refuse voxel sizes that contradict the sform."""
    pixdim, by_sform = _pixdim(header), np.linalg.norm(affine[:3, :3], axis=0)
    if not _are_lengths(pixdim):
        return [f"pixdim is {_mm(pixdim)}, which is none; the sform is used"]
    if not np.isfinite(by_sform).all() or not by_sform.min() > 0:
        return []  # refused by name with the other absurd spacings
    if (np.abs(by_sform / pixdim - 1) > ROUNDED).any():
        found = f"voxels of {_mm(by_sform)} by the sform, of {_mm(pixdim)} by pixdim"
        advice = "find out which is right, and write its header anew"
        raise refused(path, found, "both the same", advice)
    return []


def _against_qform(path: Path, header: nib.Nifti1Header, affine: np.ndarray) -> list[str]:
    """Say how far sform and qform are apart; refuse axes that point to different sides."""
    try:
        other = np.asarray(header.get_qform())
    except (ValueError, HeaderDataError) as error:
        return [f"a qform that is none ({error}); the sform is used"]
    with np.errstate(invalid="ignore", divide="ignore"):
        steps = [a[:3, :3] / np.linalg.norm(a[:3, :3], axis=0) for a in (affine, other)]
        cosine = float(np.min((steps[0] * steps[1]).sum(axis=0)))
    if cosine < np.cos(np.radians(TURNED_DEG)):
        degrees = np.degrees(np.arccos(max(cosine, -1.0)))
        found = f"an axis that sform and qform point {degrees:.0f} degrees apart"
        advice = "find out which is right, and write its header anew"
        raise refused(path, found, "one side of the patient", advice)
    corner = np.array([*header.get_data_shape()[:3], 1.0])
    apart_mm = np.abs((affine - other) @ corner).max()
    odd = f"sform and qform are {apart_mm:.3g} mm apart at the far corner; the sform is used"
    return [] if apart_mm <= AGREE_MM else [odd]


def through_plane(header: nib.Nifti1Header, affine: np.ndarray) -> tuple[int | None, list[str]]:
    """The axis that the header names as the slices' (``slice_dim``), None where it names none.

    It is not believed, and a note says so, where the pixels of a slice would be longer than
    ``SQUARE`` times their width: software that exchanges axes forgets to tell the header.
    """
    named = header.get_dim_info()[2]
    if named is None:
        return None, []
    spacing_mm = np.linalg.norm(affine[:3, :3], axis=0)
    a, b = np.delete(spacing_mm, named)
    if max(a, b) <= SQUARE * min(a, b):
        return int(named), []
    return None, [f"slice_dim names an axis with pixels of {a:g} x {b:g} mm; it is not believed"]


def intent(path: Path, header: nib.Nifti1Header) -> list[str]:
    """What the header says the values are for: labels are refused, what is odd is said."""
    code = int(header["intent_code"])
    if code in LABELS:
        found = f"{LABELS[code]} (intent_code {code})"
        raise refused(path, found, "a scan", "a label map is not a scan")
    return [] if code in NO_INTENT else [f"intent_code is {code}: are the values HU?"]


def _pixdim(header: nib.Nifti1Header) -> np.ndarray:
    return np.asarray(header["pixdim"][1:4], float)


def _are_lengths(pixdim: np.ndarray) -> bool:
    return bool(np.isfinite(pixdim).all() and pixdim.min() > 0)


def _mm(lengths: np.ndarray) -> str:
    return " x ".join(f"{p:g}" for p in lengths) + " mm"
