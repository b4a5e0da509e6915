"""Read DICOM series: headers by pydicom, pixels by GDCM, geometry from positions.

Enhanced multi-frame objects are read where their frames make one regular stack.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np

from thinslice.errors import Refused, refused
from thinslice.io.acquired import AcquiredScan
from thinslice.io.dicom.headers import Slice, files_of, slices_of
from thinslice.io.dicom.notes import notes_on
from thinslice.io.dicom.padding_tags import stated_padding
from thinslice.io.dicom.pixels import fill
from thinslice.io.dicom.planes import read_planes
from thinslice.io.dicom.slice_order import Irregular, Stack, stack_of
from thinslice.io.orientation import place
from thinslice.io.padding import settled
from thinslice.io.scan import LoadedScan
from thinslice.volume import Modality, Volume

FACTS = ("maker", "device", "kernel", "transfer_syntax", "derived")


def read_dicom(
    path: Path | str,
    *,
    thickness_mm: float | None = None,
    modality: Modality | None = None,
    only: Sequence[Path] | None = None,
) -> LoadedScan:
    """A folder with one series (or one multi-frame file) as a volume [Z, Y, X], CT in HU.

    thickness_mm   None: SliceThickness, or the increment where the files do not say
    modality       None: as the files say; else they must agree
    only           files of the folder to read; None: every one

    Refused for anything but one regular stack of slices: tilt, gaps, duplicates,
    localizers, mixed series, broken files, no geometry.
    """
    path = Path(path)
    files = files_of(path) if only is None else tuple(sorted(only))
    slices = [s for file in files for s in slices_of(file)]
    return of_slices(path, slices, thickness_mm=thickness_mm, modality=modality)


def of_slices(
    path: Path,
    slices: Sequence[Slice],
    *,
    thickness_mm: float | None = None,
    modality: Modality | None = None,
) -> LoadedScan:
    """Read a series whose headers were read before; messages call it ``path``."""
    stack = stack_of(path, slices)
    first = stack.slices[0]
    if modality is not None and modality != first.modality:
        raise _other_modality(path, first, modality)
    thick_mm = thickness_mm if thickness_mm is not None else first.thickness_mm
    shape = (len(stack.slices), *first.shape)
    placed = place(path, stack.affine, shape, thickness_mm=thick_mm, through_plane=0)
    voxels = np.empty(placed.grid.zyx, np.float32)
    fill(placed.file_view(voxels), stack.slices)
    volume = Volume(voxels, placed.grid, cast(Modality, first.modality))
    source = _source(stack, thickness_mm)
    volume, notes = settled(path, volume, stated_padding(placed, voxels, stack.slices))
    source["warnings"] += notes
    return LoadedScan(volume, source, tuple(sorted({s.path for s in slices})))


def as_acquired_slices(
    path: Path,
    slices: Sequence[Slice],
    *,
    thickness_mm: float | None = None,
    modality: Modality | None = None,
) -> LoadedScan | AcquiredScan:
    """The series as ``of_slices`` reads it if it is regular, else its slices as acquired."""
    try:
        stack_of(path, slices)
    except Irregular:
        first = slices[0]
        if modality is not None and modality != first.modality:
            raise _other_modality(path, first, modality) from None
        return read_planes(path, slices, thickness_mm=thickness_mm, source=_facts(slices))
    return of_slices(path, slices, thickness_mm=thickness_mm, modality=modality)


def _other_modality(path: Path, first: Slice, declared: Modality) -> Refused:
    return refused(path, f"modality {first.modality}", f"{declared} as declared", "correct it")


def _facts(slices: Sequence[Slice]) -> dict[str, Any]:
    """What the headers say, but for the thickness and the warnings."""
    first = slices[0]
    return {
        "format": "DICOM",
        "modality": first.modality,
        **{key: first.facts[key] for key in FACTS},
        "lossy": any(s.lossy for s in slices),
        "series_uid": first.series,
    }


def _source(stack: Stack, declared_mm: float | None) -> dict[str, Any]:
    first = stack.slices[0]
    source = "increment" if first.thickness_mm is None else "file"
    return {
        **_facts(stack.slices),
        "thickness_mm": first.thickness_mm if declared_mm is None else declared_mm,
        "thickness_from": source if declared_mm is None else "declared",
        "warnings": notes_on(stack.slices, declared_mm),
    }
