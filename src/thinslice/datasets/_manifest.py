"""The manifest of a person's own scans: a small CSV, checked before a single scan is read.

One row per case: case, patient, split and the thin scan; optionally the thick scan, the
thicknesses where the files do not say them, and the modality. Paths are relative to its folder.
"""

import csv
import re
from pathlib import Path
from typing import NamedTuple, cast

from thinslice.columns import SPLITS
from thinslice.errors import listed, refused
from thinslice.volume import Modality

NEEDED = ("case", "patient", "split", "thin")
OPTIONAL = ("thick", "thin_thickness_mm", "thick_thickness_mm", "modality")
CASE = re.compile(r"[a-z0-9_-]+")


class Row(NamedTuple):
    """One case as the manifest states it; None where it is silent."""

    case: str
    patient: str
    split: str
    thin: Path
    thick: Path | None
    thin_thickness_mm: float | None
    thick_thickness_mm: float | None
    modality: Modality | None


def rows_of(path: Path) -> list[Row]:
    """The cases of a manifest, in its order; Refused, with the line, for whatever is wrong."""
    if not path.is_file():
        raise refused(path, "nothing", f"a CSV with {', '.join(NEEDED)}", "write the manifest")
    with path.open(encoding="utf-8-sig", newline="") as lines:
        reader = csv.DictReader(lines)
        _columns(path, list(reader.fieldnames or []))
        rows = [_row(path, reader.line_num, cells) for cells in reader]
    _together(path, rows)
    return rows


def _columns(path: Path, names: list[str]) -> None:
    unknown = [n for n in names if n not in NEEDED + OPTIONAL]
    missing = [n for n in NEEDED if n not in names]
    twice = sorted({n for n in names if names.count(n) > 1})
    if unknown or missing or twice:
        found = f"columns {names}: unknown {unknown}, missing {missing}, twice {twice}"
        expected = f"{', '.join(NEEDED)} and perhaps {', '.join(OPTIONAL)}"
        raise refused(path, found, expected, "correct the first line (separated by commas)")


def _row(path: Path, line: int, cells: dict) -> Row:
    where = Path(f"{path}, line {line}")
    if None in cells or None in cells.values():
        raise refused(where, "more or fewer cells than columns", "one cell per column", "mend it")
    said = {name: text.strip() for name, text in cells.items()}
    empty = [name for name in NEEDED if not said[name]]
    if empty:
        raise refused(where, f"no {', '.join(empty)}", "a value", "fill it in")
    if not CASE.fullmatch(said["case"]):
        raise refused(where, f"case {said['case']!r}", "a name of a-z, 0-9, _ and -", "rename it")
    if said["split"] not in SPLITS:
        raise refused(where, f"split {said['split']!r}", "train, val or test", "correct it")
    modality = said.get("modality") or None
    if modality not in (None, "CT", "MR"):
        raise refused(where, f"modality {modality!r}", "CT, MR or nothing", "correct it")
    thick = said.get("thick")
    return Row(
        case=said["case"],
        patient=said["patient"],
        split=said["split"],
        thin=_scan(where, path.parent / said["thin"]),
        thick=_scan(where, path.parent / thick) if thick else None,
        thin_thickness_mm=_length(where, said, "thin_thickness_mm"),
        thick_thickness_mm=_length(where, said, "thick_thickness_mm"),
        modality=cast(Modality | None, modality),
    )


def _scan(where: Path, path: Path) -> Path:
    if not path.exists():
        raise refused(where, f"no file or folder {path}", "a scan", "correct the path")
    return path


def _length(where: Path, said: dict[str, str], name: str) -> float | None:
    text = said.get(name)
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 < value < float("inf"):
        raise refused(where, f"{name} {text!r}", "a length in mm", "correct it or leave it empty")
    return value


def _together(path: Path, rows: list[Row]) -> None:
    """No name twice, no scan twice, no patient in two splits, and something to test on."""
    names = [row.case for row in rows]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise refused(path, f"cases given twice: {listed(twice)}", "each once", "rename them")
    scans = [scan.resolve() for row in rows for scan in (row.thin, row.thick) if scan]
    shared = sorted({str(scan) for scan in scans if scans.count(scan) > 1})
    if shared:
        raise refused(path, f"scans used twice: {listed(shared)}", "each once", "drop the copies")
    splits: dict[str, set[str]] = {}
    for row in rows:
        splits.setdefault(row.patient, set()).add(row.split)
    torn = [f"{p} in {' and '.join(sorted(s))}" for p, s in splits.items() if len(s) > 1]
    if torn:
        raise refused(path, f"patients in two splits: {listed(torn)}", "one each", "move cases")
    if not any(row.split == "test" for row in rows):
        raise refused(path, f"{len(rows)} cases, none of split test", "a test case", "add one")
