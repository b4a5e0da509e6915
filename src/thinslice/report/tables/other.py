"""Cost, patients, slice pairs, and any other analysis as printed."""

from typing import Any

import pandas as pd

from thinslice.report.tables import wording
from thinslice.report.tables.sheet import TEXT, Cell, Sheet, best_first, rows_of, split_by

UNPRINTED = ("records", "interval", "note")


def efficiency_sheets(table: pd.DataFrame) -> list[Sheet]:
    """Per data set and degradation: the main metric beside size, seconds and memory."""
    parts = split_by(rows_of(table), "dataset", "degradation").values()
    return [_costs(rows) for rows in parts]


def _costs(rows: list[dict[str, Any]]) -> Sheet:
    printed = [
        [
            Cell(row["method"]),
            Cell(row["fidelity"]),
            Cell(wording.interval(row["mean"], row["low"], row["high"], row["unit"])),
            Cell(wording.count(row["parameters"])),
            Cell(wording.seconds(row["wall_s"])),
            Cell(wording.number(row["peak_memory_gib"], "mm")),
            Cell(wording.count(row["volumes"])),
            Cell(str(row["n"])),
            Cell(str(row["row"])),
        ]
        for row in best_first(rows)
    ]
    first = rows[0]
    where = wording.place(first["dataset"], first["degradation"], first["sim"])
    devices = ", ".join(dict.fromkeys(row["device"] for row in rows if row["device"]))
    caption = (
        f"What a better number costs, on {where}, protocol {first['protocol']}: mean over n "
        "patients [95 % interval], learned parameters, mean seconds per volume, highest memory. "
        f"Device: {devices or 'unknown'}. Row: data row in efficiency.csv."
    )
    costs = ["parameters", "s / volume", "GiB", "volumes", "n", "row"]
    head = ["method", "fidelity", wording.metric(first), *costs]
    return Sheet(caption, head, printed, wording.footnotes(rows), left=2)


def patient_sheets(table: pd.DataFrame) -> list[Sheet]:
    """Per data set, degradation, protocol and metric: methods down, patients across."""
    parts = split_by(rows_of(table), "dataset", "degradation", "protocol", "metric").values()
    return [_patients(rows) for rows in parts]


def _patients(rows: list[dict[str, Any]]) -> Sheet:
    names = sorted({row["patient"] for row in rows})
    printed = []
    for (method, fidelity), own in split_by(best_first(rows), "method", "fidelity").items():
        values = {row["patient"]: row for row in own}
        numbers = [
            Cell(wording.number(values[p]["value"], values[p]["unit"]), row=values[p]["row"])
            if p in values
            else Cell(wording.NOTHING)
            for p in names
        ]
        printed.append([Cell(method), Cell(fidelity), *numbers])
    first = rows[0]
    where = wording.place(first["dataset"], first["degradation"], first["sim"])
    caption = (
        f"Every test patient (n = {len(names)}), {wording.metric(first)} on {where}, protocol "
        f"{first['protocol']}; scans of one patient are averaged."
    )
    return Sheet(caption, ["method", "fidelity", *names], printed, left=2)


def pair_sheets(table: pd.DataFrame) -> list[Sheet]:
    """Per data set and degradation: how alike thick and thin slices are, by distance."""
    parts = split_by(rows_of(table), "dataset", "degradation").values()
    return [_pairs(rows) for rows in parts]


def _pairs(rows: list[dict[str, Any]]) -> Sheet:
    columns = split_by(rows, "metric")
    printed = []
    for (split, relation), own in split_by(rows, "split", "relation").items():
        cells = {row["metric"]: row for row in own}
        numbers = [
            Cell(
                wording.interval(row["mean"], row["low"], row["high"], row["unit"]), row=row["row"]
            )
            for row in (cells[name] for (name,) in columns if name in cells)
        ]
        distance = Cell(wording.number(own[0]["distance_mm"], "mm"))
        printed.append([Cell(split), Cell(relation), distance, *numbers, Cell(str(own[0]["n"]))])
    first = rows[0]
    where = wording.place(first["dataset"], first["degradation"], first["sim"])
    caption = (
        f"How alike a thick slice and thin slices near it are, {where}, protocol "
        f"{first['protocol']}: mean over n patients [95 % interval] by distance."
    )
    titles = [wording.metric(c[0]) for c in columns.values()]
    head = ["split", "relation", "distance (mm)", *titles, "n"]
    return Sheet(caption, head, printed, wording.footnotes(rows), left=2)


def plain_sheets(name: str, table: pd.DataFrame) -> list[Sheet]:
    """Any other analysis: its columns as they are, numbers to four figures."""
    columns = [column for column in table.columns if column not in UNPRINTED]
    rows = rows_of(table)
    printed = [[Cell(_plain(row[column])) for column in columns] for row in rows]
    words = sum(1 for column in columns if column in TEXT)
    caption = f"{name}: as computed; every digit is in {name}.csv."
    return [Sheet(caption, columns, printed, wording.footnotes(rows), left=words)]


def _plain(value: Any) -> str:
    if isinstance(value, float):
        return wording.NOTHING if value != value else f"{value:.4g}"
    return str(value)
