"""Read NIfTI scans of any axis order, with their exact position in the patient.

NIfTI knows no slice thickness, no modality and no unit of its values. Thickness is what thinslice
wrote in the description, else the increment, unless it is declared; CT must be HU, and floats in
[0, 1] (as RPLHR-CT is distributed) are refused until the window that maps them to HU is declared.
"""

import re
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np

from thinslice.io.derived import OURS
from thinslice.io.nifti.content import Content, files_of, opened
from thinslice.io.nifti.header import geometry, intent, three_axes, through_plane
from thinslice.io.nifti.values import holds_unit, voxels_of
from thinslice.io.orientation import SPACING_MM, place
from thinslice.io.padding import settled
from thinslice.io.scan import LoadedScan, source_without_scanner
from thinslice.volume import Modality, Volume

RAS_TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
SAME = 1e-4  # of a spacing: the description has six digits, headers have float32
DESCRIBED = re.compile(rb"slice thickness (\d+\.?\d*) mm(, |$)")  # as ``write`` words it


def read_nifti(
    path: Path | str,
    *,
    thickness_mm: float | None = None,
    unit_window: tuple[float, float] | None = None,
    modality: Modality = "CT",
) -> LoadedScan:
    """A .nii, a .nii.gz or a pair (.hdr, .img) as a volume [Z, Y, X], CT in HU.

    thickness_mm   of a slice; None: as the description of a file of ours says, else equal to the
                   increment; ``source`` says which
    unit_window    (low, high) HU that 0 and 1 stand for, for files that hold [0, 1] floats

    The through-plane axis is the one that the header names (``slice_dim``), else the clearly
    coarsest, else the one closest to head-foot. Raises Refused for whatever cannot be read exactly:
    broken files, 4-D, no geometry or a contradictory one, sheared axes, absurd spacings, NaN,
    label maps, CT whose values are not HU.
    """
    path = Path(path)
    return _loaded(path, opened(path), thickness_mm, unit_window, modality)


def read_hu_or_unit(
    path: Path, *, thickness_mm: float | None, window: tuple[float, float]
) -> LoadedScan:
    """A CT as ``read_nifti`` reads it, of HU or of [0, 1] by ``window``, whichever it holds.

    The file is unpacked once. Raises Refused as ``read_nifti``.
    """
    content = opened(path)
    unit_window = window if holds_unit(content.stored) else None
    return _loaded(path, content, thickness_mm, unit_window, "CT")


def _loaded(
    path: Path,
    content: Content,
    thickness_mm: float | None,
    unit_window: tuple[float, float] | None,
    modality: Modality,
) -> LoadedScan:
    header, stored, notes = content
    shape = three_axes(path, header)
    affine, warnings = geometry(path, header)
    z, odd = through_plane(header, affine)
    warnings = [*notes, *warnings, *odd, *intent(path, header)]
    with np.errstate(invalid="ignore"):  # what is not finite is refused by name
        lps = RAS_TO_LPS @ affine
    spacing_mm = float(np.linalg.norm(affine[:3, z]))
    described_mm = _described_mm(header, spacing_mm) if thickness_mm is None else None
    thick_mm = thickness_mm if described_mm is None else described_mm
    placed = place(path, lps, shape, thickness_mm=thick_mm, through_plane=z)
    voxels, notes = voxels_of(path, stored, placed, modality=modality, unit_window=unit_window)
    volume = Volume(voxels, placed.grid, modality)
    if unit_window is None:
        volume, odd_values = settled(path, volume)
        notes += odd_values
    source: dict[str, Any] = {
        **source_without_scanner("NIfTI", modality, thick_mm),
        **({} if described_mm is None else {"thickness_from": "file"}),
        "axes": "".join(nib.aff2axcodes(affine)),
        "stored_as": str(header.get_data_dtype()),
        "unit_window": list(unit_window) if unit_window and modality == "CT" else None,
        "derived": OURS if OURS.encode() in header["descrip"].item() else None,
        "warnings": warnings + notes,
    }
    return LoadedScan(volume, source, files_of(path))


def _described_mm(header: nib.Nifti1Header, spacing_mm: float) -> float | None:
    """The thickness that thinslice wrote; None of any other file.

    Nor of one with gaps, which thinslice makes by ``thicken`` alone: far more often another program
    averaged slices, or left some out, and kept the description.
    """
    stated = DESCRIBED.match(bytes(header["descrip"].item()))
    mm = float(stated[1]) if stated else 0.0
    fits = SPACING_MM[0] <= mm <= SPACING_MM[1] and mm >= spacing_mm * (1 - SAME)
    return mm if fits else None
