"""A scan from wherever it lies: a NIfTI file, or a folder of DICOM."""

from pathlib import Path

from thinslice.formats import dicom, nifti
from thinslice.formats.dicom_tags import files_of
from thinslice.formats.found import Found, refused
from thinslice.formats.nifti_header import SUFFIXES
from thinslice.volume import Modality


def read(
    path: Path | str,
    *,
    thickness_mm: float | None = None,
    unit_window: tuple[float, float] | None = None,
    modality: Modality | None = None,
) -> Found:
    """The scan at ``path``, told apart by its name: .nii and .nii.gz are NIfTI, else DICOM.

    thickness_mm   declared; None: what the format knows (NIfTI: the increment)
    unit_window    HU that 0 and 1 stand for; speaks of NIfTI only, DICOM carries its own rescale
    modality       declared; None: what DICOM says, CT for NIfTI

    Raises Refused in one line for whatever cannot be read exactly.
    """
    path = Path(path)
    if not path.exists():
        raise refused(path, "nothing there", "a NIfTI file or a DICOM folder", "check the path")
    if path.name.endswith(SUFFIXES):
        return nifti.read(
            path, thickness_mm=thickness_mm, unit_window=unit_window, modality=modality or "CT"
        )
    return dicom.read(path, thickness_mm=thickness_mm, modality=modality)


def files(path: Path | str) -> tuple[Path, ...]:
    """Every file that ``read`` would open, sorted; nothing is read."""
    path = Path(path)
    return (path,) if path.name.endswith(SUFFIXES) else files_of(path)
