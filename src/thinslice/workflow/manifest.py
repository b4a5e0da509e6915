"""Manifest of a person's own scans: one case a row of a small CSV, parsed once.

Planning counts its rows and the data set reads the scans they name. Thicknesses in it become
geometry, so this module counts in code digests, unlike its neighbours. Standard library only.
"""

import csv
import re
from pathlib import Path
from typing import Literal, NamedTuple, cast

from thinslice.errors import listed, refused

Modality = Literal["CT", "MR"]
SPLITS = ("train", "val", "test")  # interfaces.SPLITS, without its array libraries
NEEDED = ("case", "patient", "split", "thin")
OPTIONAL = ("thick", "thin_thickness_mm", "thick_thickness_mm", "modality")
CASE = re.compile(r"[a-z0-9_-]+")


class Row(NamedTuple):
    """One case of a manifest; None for an empty cell."""

    case: str
    patient: str
    split: str
    thin: Path
    thick: Path | None
    thin_thickness_mm: float | None
    thick_thickness_mm: float | None
    modality: Modality | None


def read_manifest(path: Path) -> list[Row]:
    """The cases of a manifest, in its order; Refused, with the line, where it is wrong.

    One row per case: case, patient, split and the thin scan; optionally the thick scan, the
    thicknesses where the files do not state them, and the modality. Paths are relative to it.
    """
    if not path.is_file():
        raise refused(path, "nothing", f"a CSV with {', '.join(NEEDED)}", "write the manifest")
    with path.open(encoding="utf-8-sig", newline="") as lines:
        reader = csv.DictReader(lines)
        _check_columns(path, list(reader.fieldnames or []))
        rows = [_row(path, reader.line_num, cells) for cells in reader]
    _check_cases(path, rows)
    return rows


def _check_columns(path: Path, names: list[str]) -> None:
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
        raise refused(
            where, "more or fewer cells than columns", "one cell per column", "correct it"
        )
    values = {name: text.strip() for name, text in cells.items()}
    empty = [name for name in NEEDED if not values[name]]
    if empty:
        raise refused(where, f"no {', '.join(empty)}", "a value", "fill it in")
    if not CASE.fullmatch(values["case"]):
        raise refused(where, f"case {values['case']!r}", "a name of a-z, 0-9, _ and -", "rename it")
    if values["split"] not in SPLITS:
        raise refused(where, f"split {values['split']!r}", "train, val or test", "correct it")
    modality = values.get("modality") or None
    if modality not in (None, "CT", "MR"):
        raise refused(where, f"modality {modality!r}", "CT, MR or nothing", "correct it")
    thick = values.get("thick")
    return Row(
        case=values["case"],
        patient=values["patient"],
        split=values["split"],
        thin=_scan(where, path.parent / values["thin"]),
        thick=_scan(where, path.parent / thick) if thick else None,
        thin_thickness_mm=_length(where, values, "thin_thickness_mm"),
        thick_thickness_mm=_length(where, values, "thick_thickness_mm"),
        modality=cast(Modality | None, modality),
    )


def _scan(where: Path, path: Path) -> Path:
    if not path.exists():
        raise refused(where, f"no file or folder {path}", "a scan", "correct the path")
    return path


def _length(where: Path, values: dict[str, str], name: str) -> float | None:
    text = values.get(name)
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 < value < float("inf"):
        raise refused(where, f"{name} {text!r}", "a length in mm", "correct it or leave it empty")
    return value


def _check_cases(path: Path, rows: list[Row]) -> None:
    """Refuse a case or a scan given twice, a patient in two splits, and a lack of test cases."""
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
    divided = [f"{p} in {' and '.join(sorted(s))}" for p, s in splits.items() if len(s) > 1]
    if divided:
        raise refused(path, f"patients in two splits: {listed(divided)}", "one each", "move cases")
    if not any(row.split == "test" for row in rows):
        raise refused(path, f"{len(rows)} cases, none of split test", "a test case", "add one")
