"""Write certified pairs as the manifest that the data set ``own_data`` reads."""

import csv
import hashlib
import io
import os
from collections.abc import Collection, Sequence
from pathlib import Path

from thinslice.errors import refused
from thinslice.fs.atomic import write_text
from thinslice.pairs.listing import Row

COLUMNS = (
    "case", "patient", "split", "thin", "thick", "thin_thickness_mm", "thick_thickness_mm",
    "thin_series", "thick_series", "thin_acquisition", "thick_acquisition",
)  # fmt: skip
ACCEPTABLE = ("kernel", "gap", "noise", "acquisition_number", "table_range_partly")
TEST, VAL = 0.2, 0.1  # shares of the patients; one each where there are enough


def refuse_existing(path: Path) -> None:
    """Refuse a place where something is, or whose folder is not there."""
    if path.exists() or path.is_symlink():
        raise refused(path, "something there", "a new file", "name another, or move it away")
    if not path.parent.is_dir():
        raise refused(path.parent, "no such folder", "one for the manifest", "make it")


def chosen(rows: Sequence[Row], accept: Collection[str] = ()) -> tuple[list[Row], list[Row]]:
    """Pairs for a manifest, in their order, and those left out as a series is in it already.

    Of pairs that share a series the one with the largest ratio of thicknesses is taken.
    accept   codes of reasons, some of ``ACCEPTABLE``: pairs flagged by these alone are taken too
    """
    fit = [row for row in rows if _fits(row, accept)]
    taken: set[str] = set()
    left = []
    for row in sorted(fit, key=_ratio, reverse=True):
        series = {_key(row["facts"][which]) for which in ("thin", "thick")}
        if series & taken:
            left.append(row["case"])
        else:
            taken |= series
    return (
        [row for row in fit if row["case"] not in left],
        [row for row in fit if row["case"] in left],
    )


def write(path: Path, rows: Sequence[Row]) -> None:
    """A CSV of pairs, paths relative to it; patients are divided among the splits."""
    split_of = splits({row["patient"] for row in rows})
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(COLUMNS)
    for row in rows:
        thin, thick = row["facts"]["thin"], row["facts"]["thick"]
        folders = [os.path.relpath(each["folder"], path.parent) for each in (thin, thick)]
        series = [each["series_uid"] for each in (thin, thick)]
        parts = [each["acquisition"] or "" for each in (thin, thick)]
        patient = row["patient"]
        table.writerow([row["case"], patient, split_of[patient], *folders, "", "", *series, *parts])
    write_text(path, text.getvalue())


def splits(patients: Collection[str]) -> dict[str, str]:
    """A split for each patient: one in five for test, one in ten for validation, by their hash."""
    order = sorted(patients, key=lambda name: hashlib.sha256(name.encode()).hexdigest())
    n_test = max(1, round(TEST * len(order)))
    n_val = max(1, round(VAL * len(order))) if len(order) > 2 else 0
    names = ["test"] * n_test + ["val"] * n_val
    return dict(zip(order, [*names, *["train"] * (len(order) - len(names))], strict=True))


def _fits(row: Row, accept: Collection[str]) -> bool:
    return all(reason["code"] in accept for reason in row["reasons"])


def _ratio(row: Row) -> float:
    thin, thick = row["facts"]["thin"], row["facts"]["thick"]
    return thick["thickness_mm"] / thin["thickness_mm"]


def _key(series: Row) -> str:
    return f"{series['series_uid']} {series['acquisition']}"
