"""Manifest of a person's own scans: one case a row of a small CSV, parsed once.

Planning counts its rows and the data set reads the scans they name. Thicknesses in it become
geometry, so this module counts in code digests, unlike its neighbours. Standard library only.
"""

import re
from collections import Counter
from difflib import get_close_matches
from pathlib import Path
from typing import Literal, NamedTuple, cast

from thinslice.errors import Refused, all_refused, listed, refused
from thinslice.workflow.spreadsheet import Cells, read_table

Modality = Literal["CT", "MR"]
SPLITS = ("train", "val", "test")  # interfaces.SPLITS, without its array libraries
NEEDED = ("case", "patient", "split", "thin")
OPTIONAL = (
    "thick", "thin_thickness_mm", "thick_thickness_mm", "modality",
    "thin_series", "thick_series", "thin_acquisition", "thick_acquisition",
)  # fmt: skip
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
    thin_series: str | None = None  # of a folder with several, as ``thinslice inspect`` prints it
    thick_series: str | None = None
    thin_acquisition: str | None = None
    thick_acquisition: str | None = None


def read_manifest(path: Path) -> list[Row]:
    """The cases of a manifest, in its order; Refused, with every line that is wrong.

    One row per case: case, patient, split and the thin scan; optionally the thick scan, the
    thicknesses where the files do not state them, the modality, and which series and acquisition of
    a folder with several each scan is. Paths are relative to it.
    """
    if not path.is_file():
        raise refused(path, "nothing", f"a CSV with {', '.join(NEEDED)}", "write the manifest")
    rows, wrong = [], []
    for line, cells in read_table(path, NEEDED, OPTIONAL):
        try:
            rows.append(_row(path, line, cells))
        except Refused as error:
            wrong.append(error)
    if wrong:
        raise all_refused(wrong)
    _check_cases(path, rows)
    return rows


def _row(path: Path, line: int, values: Cells | None) -> Row:
    where = Path(f"{path}, line {line}")
    if values is None:
        raise refused(
            where, "more or fewer cells than columns", "one cell per column", "correct it"
        )
    empty = [name for name in NEEDED if not values[name]]
    if empty:
        raise refused(where, f"no {', '.join(empty)}", "a value", "fill it in")
    if not CASE.fullmatch(values["case"]):
        raise refused(where, f"case {values['case']!r}", "a name of a-z, 0-9, _ and -", "rename it")
    if values["split"] not in SPLITS:
        near = get_close_matches(values["split"].lower(), SPLITS, n=1)
        advice = f"did you mean {near[0]!r}?" if near else "correct it"
        raise refused(where, f"split {values['split']!r}", "train, val or test", advice)
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
        thin_series=values.get("thin_series") or None,
        thick_series=values.get("thick_series") or None,
        thin_acquisition=values.get("thin_acquisition") or None,
        thick_acquisition=values.get("thick_acquisition") or None,
    )


def _scan(where: Path, path: Path) -> Path:
    if not path.exists():
        advice = "write / in place of \\" if "\\" in path.name else "correct the path"
        raise refused(where, f"no file or folder {path}", "a scan", advice)
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


def _scans(row: Row) -> list[str]:
    """The scans of a case: their paths, and which of the scans there they are."""
    both = [
        (row.thin, row.thin_series, row.thin_acquisition),
        (row.thick, row.thick_series, row.thick_acquisition),
    ]
    return [
        " ".join([str(path.resolve()), *(which for which in (series, part) if which)])
        for path, series, part in both
        if path
    ]


def _check_cases(path: Path, rows: list[Row]) -> None:
    """Refuse a case or a scan given twice, a patient in two splits, and a lack of test cases."""
    names = [row.case for row in rows]
    scans = [scan for row in rows for scan in _scans(row)]
    splits: dict[str, set[str]] = {}
    for row in rows:
        splits.setdefault(row.patient, set()).add(row.split)
    wrong = []
    if twice := sorted(name for name, n in Counter(names).items() if n > 1):
        found = f"cases given twice: {listed(twice)}"
        wrong.append(refused(path, found, "each once", "rename them"))
    if shared := sorted(name for name, n in Counter(scans).items() if n > 1):
        found = f"scans used twice: {listed(shared)}"
        wrong.append(refused(path, found, "each once", "drop the copies"))
    if divided := [f"{p} in {' and '.join(sorted(s))}" for p, s in splits.items() if len(s) > 1]:
        found = f"patients in two splits: {listed(divided)}"
        wrong.append(refused(path, found, "one each", "move cases"))
    if not any(row.split == "test" for row in rows):
        found = f"{len(rows)} cases, none of split test"
        wrong.append(refused(path, found, "a test case", "add one"))
    if wrong:
        raise all_refused(wrong)
