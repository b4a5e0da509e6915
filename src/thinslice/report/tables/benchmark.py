"""The benchmark as printed: the main sheet of each data set, then every number in full."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from thinslice.columns import METRIC, by_key
from thinslice.report.tables import wording
from thinslice.report.tables.sheet import (
    Cell,
    Sheet,
    best_first,
    best_row,
    entrant_name,
    rows_of,
    split_by,
    with_entrants,
)

QUESTION = "Every number of the benchmark"
MAIN = ("v1", "rmse_hu", "", "", "")  # protocol and METRIC of the main sheet, if it was scored
MEASURED = ("protocol", *METRIC)
BOLD = "Bold: the best, where its interval meets no other's."
ENTRANT = ("method", "fidelity", "entrant")
Rows = list[dict[str, Any]]


def sheets(table: pd.DataFrame, skipped: Sequence[tuple[str, str]] = ()) -> list[Sheet]:
    """The main sheets, then one sheet in full per data set, degradation and protocol."""
    full = split_by(with_entrants(rows_of(table)), "dataset", "degradation", "protocol")
    return [*main_sheets(table, skipped), *(_full(rows) for rows in full.values())]


def main_sheets(table: pd.DataFrame, skipped: Sequence[tuple[str, str]] = ()) -> list[Sheet]:
    """One per data set: methods down, thick slices across, the main metric in every cell."""
    parts = split_by(with_entrants(rows_of(table)), "dataset").items()
    return [
        _main(rows, [(cell, why) for cell, why in skipped if cell.startswith(f"{dataset}/")])
        for (dataset,), rows in parts
    ]


def main_metric(rows: Rows) -> Rows:
    """Rows of the main sheet's metric: v1's RMSE, else the first where a value can be better."""
    ranked = [row for row in rows if row["better"]] or rows
    measured = [_measured(row) for row in ranked]
    chosen = MAIN if MAIN in measured or not measured else measured[0]
    return [row for row in rows if _measured(row) == chosen]


def _measured(row: dict[str, Any]) -> tuple[str, ...]:
    return tuple(row[key] for key in MEASURED)


def _main(rows: Rows, skipped: Sequence[tuple[str, str]]) -> Sheet:
    rows = main_metric(rows)
    columns = split_by(rows, "degradation")
    strong = {best_row(column) for column in columns.values()}
    ranked = [row for column in columns.values() for row in best_first(column)]
    printed = []
    for (_, fidelity, _), part in split_by(ranked, *ENTRANT).items():
        cells = by_key(part, "degradation")
        name = entrant_name(part[0])
        numbers = [_mean(cells.get(column), strong) for (column,) in columns]
        printed.append([Cell(name), Cell(fidelity), *numbers])
    counts = [wording.patients(row["n"] for row in column) for column in columns.values()]
    same = len(set(counts)) == 1
    everywhere, sims = wording.sim_apart(list(columns.values()))
    heads = [
        name + sim if same else f"{name}{sim} ({n})"
        for (name,), sim, n in zip(columns, sims, counts)
    ]
    over = counts[0] if same else "n"
    where = f"{rows[0]['dataset']}{everywhere}" if rows else ""
    moved = any(row["entrant"] for row in rows)
    fitted = "" if moved else "Trained methods are fitted on the thick slices they are tested on. "
    caption = (
        f"{wording.metric(rows[0])} on {where}, protocol {rows[0]['protocol']}: mean over {over} "
        "test patients [95 % interval], by how the thick slices came about. "
        f"{fitted}{BOLD}"
    )
    notes = [*wording.footnotes(rows), *published(rows), *why_not(skipped)]
    return Sheet(caption, ["method", "fidelity", *heads], printed, notes, left=2)


def _full(rows: Rows) -> Sheet:
    """Every metric of one data set, degradation and protocol, best method first."""
    first = rows[0]
    beside = any(row["published"] == row["published"] for row in rows)
    printed = []
    for group in split_by(rows, *METRIC).values():
        by_key(group, *ENTRANT)  # refuses two rows of one name
        strong = {best_row(group)}
        for k, row in enumerate(best_first(group)):
            title = "" if k else wording.metric(row)
            name = entrant_name(row)
            words = [Cell(title), Cell(name), Cell(row["fidelity"])]
            numbers = [_mean(row, strong), Cell(str(row["n"]))]
            if beside:
                numbers.append(Cell(_paper(row)))
            printed.append([*words, *numbers, Cell(str(row["row"]))])
    where = wording.place(first["dataset"], first["degradation"], first["sim"])
    caption = (
        f"Every metric on {where}, protocol {first['protocol']}: mean over n test patients "
        f"[95 % interval]. {BOLD} Row: data row in benchmark.csv."
    )
    head = ["metric", "method", "fidelity", "mean", "n", *(["published"] if beside else []), "row"]
    return Sheet(caption, head, printed, [*wording.footnotes(rows), *published(rows)], left=3)


def _mean(row: dict[str, Any] | None, strong: set[int | None]) -> Cell:
    if row is None:
        return Cell(wording.NOTHING)
    return Cell(wording.mean_of(row), row["row"] in strong, row["row"])


def _paper(row: dict[str, Any]) -> str:
    """A paper's own number, with its standard deviation where it gives one."""
    value, sd = row["published"], row["published_sd"]
    places = max(wording.decimals(value, row["unit"]), 3) if value == value else 0
    if value != value:
        return wording.NOTHING
    return f"{value:.{places}f}" + (f" ± {sd:.{places}f}" if sd == sd else "")


def published(rows: Rows) -> list[str]:
    """One footnote per published number: method, number and source."""
    known = [row for row in rows if row["published"] == row["published"]]
    notes = [
        f"Published, {row['method']}: {wording.metric(row)} {_paper(row)}, "
        f"{row['published_source']}."
        for row in known
    ]
    return list(dict.fromkeys(notes))


def why_not(skipped: Sequence[tuple[str, str]]) -> list[str]:
    """One footnote per cell that was not run, with its reason."""
    return [f"Not run, {cell}: {reason}." for cell, reason in skipped]
