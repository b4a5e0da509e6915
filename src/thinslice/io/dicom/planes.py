"""Read the slices of an irregular DICOM series where they are: tilted, uneven, of mixed thickness.

Positions and orientation alone say where a slice is; GantryDetectorTilt is a witness, since its
sign is not the same for all makers.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np

from thinslice.errors import listed, refused
from thinslice.io.acquired import AcquiredScan
from thinslice.io.dicom.headers import Slice
from thinslice.io.dicom.notes import notes_on
from thinslice.io.dicom.pixels import fill
from thinslice.io.dicom.slice_order import ROUNDED_MM, Ordered, ordered_of, same_order
from thinslice.io.orientation import Place, place
from thinslice.io.scan import odd_hu
from thinslice.volume import Modality

WIDEST_MM = 30.0  # between two slices; what lies in a wider gap was not scanned


class _Placed(NamedTuple):
    """Slices with z towards the head, back or left, and how their axes map to [Z, Y, X]."""

    slices: tuple[Slice, ...]
    positions: np.ndarray
    place: Place


def read_planes(
    path: Path, slices: Sequence[Slice], *, thickness_mm: float | None, source: dict[str, Any]
) -> AcquiredScan:
    """The slices as they were acquired; messages call the series ``path``.

    thickness_mm   of every slice, where the files do not say; None: theirs, else the increment
    source         the facts of ``LoadedScan.source`` without thickness and warnings

    Refused for what is not one scan of parallel slices on a straight line, each position once, and
    for a gap that no slice tells anything of.
    """
    stack = ordered_of(path, slices)
    gaps_mm = np.diff(stack.along_mm)
    along_line_mm = np.linalg.norm(np.diff(stack.positions, axis=0), axis=1)
    either_way = [gaps[::way] for gaps in (gaps_mm, along_line_mm) for way in (1, -1)]
    same_order(path, stack.slices, either_way)
    _no_wide_gap(path, stack, gaps_mm)
    usual_mm = float(np.median(gaps_mm))
    thick_mm, stated = _thickness(path, stack.slices, thickness_mm, usual_mm)
    placed = _placed(path, stack, usual_mm, float(np.median(thick_mm)))
    voxels = np.empty(placed.place.grid.zyx, np.float32)
    fill(placed.place.file_view(voxels), placed.slices)
    reach = (placed.positions - placed.positions[0]) @ np.array(placed.place.grid.direction).T
    shifts_mm = np.where(np.abs(reach[:, 1:]).max(initial=0) > ROUNDED_MM, reach[:, 1:], 0.0)
    turned = placed.slices[0] is not stack.slices[0]
    scan = AcquiredScan(
        voxels,
        placed.place.grid,
        cast(Modality, placed.slices[0].modality),
        reach[:, 0],
        thick_mm[::-1] if turned else thick_mm,
        shifts_mm,
        {**source, **stated},
        tuple(sorted({s.path for s in slices})),
    )
    notes = notes_on(stack.slices, thickness_mm, tilt_deg=scan.tilt_deg)
    if scan.modality == "CT":
        notes += odd_hu(float(voxels.min()), float(voxels.max()))
    scan.source["warnings"] = notes
    return scan


def _no_wide_gap(path: Path, stack: Ordered, gaps_mm: np.ndarray) -> None:
    widest = int(gaps_mm.argmax())
    if gaps_mm[widest] > WIDEST_MM:
        names = [stack.slices[k].name for k in (widest, widest + 1)]
        found = f"{gaps_mm[widest]:g} mm between {names[0]} and {names[1]}"
        raise refused(path, found, f"at most {WIDEST_MM:g} mm", "separate the scans")


def _thickness(
    path: Path, slices: Sequence[Slice], declared_mm: float | None, increment_mm: float
) -> tuple[np.ndarray, dict[str, Any]]:
    """Thickness of every slice, and what the source says of it."""
    stated = [s.thickness_mm for s in slices]
    silent = [s.name for s in slices if s.thickness_mm is None]
    known = np.array([t for t in stated if t is not None], float)
    if declared_mm is not None and known.size and np.ptp(known) > ROUNDED_MM:
        found = f"slices of {known.min():g} to {known.max():g} mm, {declared_mm:g} mm declared"
        raise refused(path, found, "one thickness to declare", "leave the declared one out")
    if declared_mm is None and silent and known.size:
        found = f"no SliceThickness in {len(silent)} of {len(slices)} images ({listed(silent)})"
        raise refused(path, found, "it in every image", "declare it, or export the series again")
    if declared_mm is not None:
        each, origin = np.full(len(slices), declared_mm), "declared"
    elif silent:
        each, origin = np.full(len(slices), increment_mm), "increment"
    else:
        each, origin = known, "file"
    nominal = None if origin == "increment" else float(np.median(each))
    return each, {"thickness_mm": nominal, "thickness_from": origin}


def _placed(path: Path, stack: Ordered, increment_mm: float, thickness_mm: float) -> _Placed:
    """The axes of the slices, with z not flipped: the slices are turned round instead."""
    x, y, normal = stack.axes
    rows_mm, columns_mm = np.array(stack.slices[0].pixel_mm, float)
    shape = (len(stack.slices), *stack.slices[0].shape)
    for way in (1, -1):
        slices, positions = stack.slices[::way], stack.positions[::way]
        affine = np.eye(4)
        affine[:3, 0], affine[:3, 1] = way * normal * increment_mm, y * rows_mm
        affine[:3, 2], affine[:3, 3] = x * columns_mm, positions[0]
        at = place(path, affine, shape, thickness_mm=thickness_mm, through_plane=0)
        if not at.flipped[0]:
            return _Placed(slices, positions, at)
    raise AssertionError("an axis runs away from the patient both ways")
