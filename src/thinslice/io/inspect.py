"""List the scans in a folder tree, one row each: its geometry, or why it would be refused.

DICOM is judged by its headers, series by series; pixels are counted but not decoded, so an image
that is broken inside may still be refused when it is read. NIfTI files are read whole: only their
values tell HU from other units.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from thinslice.errors import Refused, in_one_line, listed, refused
from thinslice.io import images, zip_folder
from thinslice.io.acquisition import parts_of, read_of
from thinslice.io.chosen import BY_THICKNESS
from thinslice.io.dicom import padding_tags
from thinslice.io.dicom.notes import notes_on
from thinslice.io.dicom.slice_order import Irregular, stack_of
from thinslice.io.folder import Series, look
from thinslice.io.orientation import BACK, HEAD, LEFT, place
from thinslice.io.scan import LoadedScan
from thinslice.volume import Grid
from thinslice.workflow.scan_files import STORE, walk

PLANES = {LEFT: "sagittal", BACK: "coronal", HEAD: "axial"}
SQUARE_DEG = 0.5  # a smaller turn is not shown


class ScanSummary(NamedTuple):
    """A scan, or a file or series that is none; fields are None where unknown."""

    path: str  # of the file, or of the folder that holds every image of the series
    format: str  # "DICOM", "NIfTI", "OME-Zarr"; "zip" or "unknown" where nothing could be opened
    choose: str | None  # value of ``series`` that selects this scan in its folder
    acquisition: str | None  # value of ``acquisition`` that selects it in its series
    apart: str | None  # what tells it from the other acquisitions of its series
    uid: str | None  # SeriesInstanceUID
    series: str
    modality: str | None
    slices: int | None
    size: tuple[int, int] | None  # rows, columns
    pixel_mm: tuple[float, float] | None  # (y, x)
    thickness_mm: float | None  # None too where the file does not state it
    increment_mm: float | None
    overlap_mm: float | None  # negative is a gap
    kernel: str | None
    orientation: str | None
    refused: str | None  # why it cannot be read
    warnings: list[str]

    @property
    def is_other(self) -> bool:
        """Whether it is a series that is no scan, such as a localizer."""
        return self.uid is not None and self.choose is None


def scans_in(path: Path) -> Iterator[ScanSummary]:
    """Every NIfTI file and DICOM series at ``path``, below it or, if it is a zip, in it.

    Ignored: hidden files and folders, links to folders, companions such as *.txt, and stores.
    """
    if not zip_folder.is_zip(path):
        yield from _rows_below(path)
        return
    try:
        with zip_folder.unpacked(path) as folder:
            rows = [*_rows_below(folder)]
    except Refused as error:
        yield unread(path, "zip", "", str(error))
        return
    for row in rows:
        refusal = row.refused and row.refused.replace(str(folder), str(path))
        yield row._replace(path=row.path.replace(str(folder), str(path)), refused=refusal)


def selected(
    rows: Sequence[ScanSummary], series: str | None, acquisition: str | None
) -> list[ScanSummary]:
    """The rows that ``series`` and ``acquisition`` of ``restore`` would choose; None: every one."""
    scans = [row for row in rows if row.choose is not None]
    if series in BY_THICKNESS:
        known = [(row.thickness_mm or row.increment_mm or 0.0, row) for row in scans]
        known = [(mm, row) for mm, row in known if row.format == "DICOM" and mm]
        best = BY_THICKNESS[series](mm for mm, _ in known) if known else None
        rows = [row for mm, row in known if mm == best]
    elif series is not None:
        rows = [row for row in scans if series in (row.choose, row.uid)]
    if acquisition is not None:
        rows = [row for row in rows if acquisition in (row.acquisition, row.apart)]
    return list(rows)


def stores_in(path: Path) -> list[Path]:
    """Folders at ``path`` or below it whose names are those of stores."""
    if path.name.endswith(STORE) and path.is_dir():
        return [path]
    if not path.is_dir():
        return []
    return [top / name for top, folders, _ in walk(path) for name in folders if _store(name)]


def _store(name: str) -> bool:
    return name.endswith(STORE)


def summary_of(path: Path, scan: LoadedScan) -> ScanSummary:
    """The row of a scan that was read whole."""
    source = scan.source
    fields: dict[str, Any] = {key: source.get(key) for key in ("modality", "kernel")}
    fields |= dict.fromkeys(("choose", "acquisition", "apart", "uid"))
    return _row(
        path, source["format"], "", scan.volume.grid, source["thickness_mm"],
        warnings=list(source["warnings"]), **fields,
    )  # fmt: skip


def unread(path: Path, kind: str, series: str, why: str) -> ScanSummary:
    """The row of something that is no scan, or cannot be read."""
    empty: dict[str, Any] = dict.fromkeys(ScanSummary._fields)
    empty |= {"path": str(path), "format": kind, "series": series.strip(), "refused": why}
    return ScanSummary(**{**empty, "warnings": []})


def _rows_below(path: Path) -> Iterator[ScanSummary]:
    """A row for every scan, then for every other series, then for every broken file."""
    if not path.exists() or path.name.endswith(STORE):
        return
    tree = look(path)
    for scan, name in zip(tree.scans, tree.names()):
        if isinstance(scan, Path):
            yield _image(scan, name)
            continue
        broken = [file.name for file, _ in tree.broken_beside(scan)]
        beside = f"read only once the broken files beside it are gone ({listed(broken)})"
        for row in _parts(scan, name):
            yield row._replace(warnings=[*row.warnings, beside]) if broken else row
    for series in tree.series:
        if not series.is_scan:
            yield _series(series, None)
    for file, refusal in tree.broken:
        yield unread(file, "unknown", "", str(refusal))


def _image(path: Path, name: str) -> ScanSummary:
    try:
        with in_one_line(path):
            return summary_of(path, images.read_image(path))._replace(choose=name)
    except Refused as error:
        return unread(path, images.format_of(path) or "", "", str(error))._replace(choose=name)


def _parts(series: Series, name: str) -> Iterator[ScanSummary]:
    """A row for every acquisition of a series, or its only one."""
    parts = parts_of(series)
    for part in parts:
        row = _series(series._replace(slices=part.slices), name)
        yield row._replace(acquisition=part.name, apart=part.label)
    if not parts:
        yield _series(series, name)


def _series(series: Series, name: str | None) -> ScanSummary:
    folder, first = series.folder, series.slices[0]
    slices, left_out = read_of(series)
    fields: dict[str, Any] = {
        "modality": first.modality,
        "kernel": first.facts["kernel"],
        "choose": name,
        "acquisition": None,
        "apart": None,
        "uid": first.series,
    }
    try:
        if name is None:
            raise refused(folder, series.words, "slices of a scan", "it is ignored")
        stack = stack_of(folder, slices)
        shape = (len(slices), *first.shape)
        placed = place(
            folder, stack.affine, shape, thickness_mm=first.thickness_mm, through_plane=0
        )
    except Refused as error:
        none = unread(folder, "DICOM", first.label, str(error))
        thick_mm = first.thickness_mm if isinstance(error, Irregular) else None
        return none._replace(slices=len(slices), size=first.shape, thickness_mm=thick_mm, **fields)
    stated = padding_tags.notes_on(stack.slices)
    warnings = [*left_out, *notes_on(stack.slices), *stated]
    if any(s.lossy for s in slices):
        warnings.append("compressed with loss")
    return _row(
        folder, "DICOM", first.label, placed.grid, first.thickness_mm, warnings=warnings, **fields
    )


def _row(
    path: Path, kind: str, series: str, grid: Grid, thickness_mm: float | None, **more: Any
) -> ScanSummary:
    return ScanSummary(
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
