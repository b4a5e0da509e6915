"""What scans lie in a folder tree, each in one row: what it is, or why it would be refused.

DICOM is told by its headers, series by series; pixels are not decoded, so a broken image may still
be refused when it is read. NIfTI files are read whole: only their values tell HU from others.
"""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from thinslice.formats import nifti
from thinslice.formats.dicom_series import stack_of
from thinslice.formats.dicom_tags import Slice, files_of, slices_of
from thinslice.formats.found import Found, Refused
from thinslice.formats.frame import BACK, HEAD, LEFT, place
from thinslice.formats.nifti_header import SUFFIXES
from thinslice.volume import Grid

PLANES = {LEFT: "sagittal", BACK: "coronal", HEAD: "axial"}
STORE = ".zarr"
SQUARE_DEG = 0.5  # turned less than this is not worth a word


class Seen(NamedTuple):
    """A scan, or a file or series that is none; None where it is not known."""

    path: str
    format: str
    series: str
    modality: str | None
    slices: int | None
    size: tuple[int, int] | None  # rows, columns
    pixel_mm: tuple[float, float] | None  # (y, x)
    thickness_mm: float | None  # None too where the file does not say
    increment_mm: float | None
    overlap_mm: float | None  # negative is a gap
    kernel: str | None
    orientation: str | None
    refused: str | None  # why it cannot be read
    warnings: list[str]


def seen_in(path: Path) -> Iterator[Seen]:
    """Every NIfTI file and DICOM series at ``path`` or below it.

    Passed over: hidden files and folders, links to folders, companions such as *.txt, and stores.
    """
    if path.is_file():
        yield from _files(path.parent, [path])
    for folder, _, names in _walk(path):
        if any(name[0] != "." for name in names):
            yield from _folder(folder)


def stores_in(path: Path) -> list[Path]:
    """The folders at ``path`` or below it that are stores by their name."""
    if path.name.endswith(STORE) and path.is_dir():
        return [path]
    return [top / name for top, folders, _ in _walk(path) for name in folders if _store(name)]


def _walk(path: Path) -> Iterator[tuple[Path, list[str], list[str]]]:
    """Folder, names of its folders and of its files; no link is followed, no store entered."""
    if _store(path.name):
        return
    for top, folders, names in os.walk(path):
        found = sorted(name for name in folders if name[0] != ".")
        folders[:] = [name for name in found if not _store(name)]
        yield Path(top), found, names


def _store(name: str) -> bool:
    return name.endswith(STORE)


def of_found(path: Path, found: Found) -> Seen:
    """The row of a scan that was read whole."""
    source = found.source
    told: dict[str, Any] = {key: source.get(key) for key in ("modality", "kernel")}
    return _row(
        path, source["format"], "", found.volume.grid, source["thickness_mm"],
        warnings=list(source["warnings"]), **told,
    )  # fmt: skip


def unread(path: Path, kind: str, series: str, why: str) -> Seen:
    """The row of what is no scan, or none that can be read."""
    empty: dict[str, Any] = dict.fromkeys(Seen._fields)
    empty |= {"path": str(path), "format": kind, "series": series.strip(), "refused": why}
    return Seen(**{**empty, "warnings": []})


def _folder(folder: Path) -> Iterator[Seen]:
    try:
        yield from _files(folder, files_of(folder))
    except (Refused, OSError):  # companions alone, or a folder that may not be listed
        return


def _files(folder: Path, found: Sequence[Path]) -> Iterator[Seen]:
    """The NIfTI files one by one, then the DICOM files by series, then what is neither."""
    series: dict[str, list[Slice]] = {}
    broken: list[Seen] = []
    for file in found:
        if file.name.endswith(SUFFIXES):
            yield _nifti(file)
            continue
        try:
            slices = slices_of(file)
        except (Refused, OSError) as error:
            broken.append(unread(file, "unknown", "", str(error)))
            continue
        for one in slices:
            series.setdefault(one.series, []).append(one)
    for slices in series.values():
        yield _series(folder, slices)
    yield from broken


def _nifti(path: Path) -> Seen:
    try:
        return of_found(path, nifti.read(path))
    except (Refused, OSError) as error:
        return unread(path, "NIfTI", "", str(error))


def _series(folder: Path, slices: Sequence[Slice]) -> Seen:
    first = slices[0]
    told: dict[str, Any] = {"modality": first.modality, "kernel": first.facts["kernel"]}
    try:
        stack = stack_of(folder, slices)
        shape = (len(slices), *first.shape)
        placed = place(
            folder, stack.affine, shape, thickness_mm=first.thickness_mm, through_plane=0
        )
    except Refused as error:
        none = unread(folder, "DICOM", first.label, str(error))
        return none._replace(slices=len(slices), size=first.shape, **told)
    warnings = ["compressed with loss"] if any(s.lossy for s in slices) else []
    return _row(
        folder, "DICOM", first.label, placed.grid, first.thickness_mm, warnings=warnings, **told
    )


def _row(
    path: Path, kind: str, series: str, grid: Grid, thickness_mm: float | None, **more: Any
) -> Seen:
    return Seen(
        path=str(path),
        format=kind,
        series=series.strip(),
        slices=grid.n,
        size=grid.shape,
        pixel_mm=grid.pixel_mm,
        thickness_mm=thickness_mm,
        increment_mm=grid.increment_mm,
        overlap_mm=None if thickness_mm is None else thickness_mm - grid.increment_mm,
        orientation=_orientation(grid),
        refused=None,
        **more,
    )


def _orientation(grid: Grid) -> str:
    """The plane of the slices, and how far it is turned."""
    z = np.abs(np.array(grid.direction[0]))
    axis = int(z.round(3).argmax())
    degrees = float(np.degrees(np.arccos(min(z[axis], 1.0))))
    return PLANES[axis] if degrees < SQUARE_DEG else f"{PLANES[axis]}, turned {degrees:.1f} deg"
