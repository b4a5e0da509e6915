"""The domain gap as printed: means by what weights were fitted on and tested on, then tests."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from thinslice.columns import METRIC, by_key
from thinslice.report.tables import wording
from thinslice.report.tables.sheet import Cell, Sheet, rows_of, split_by

Rows = list[dict[str, Any]]
QUESTION = "What does training on simulated thick slices cost?"
WEIGHTS = ("method", "fidelity", "fitted_on")


def sheets(table: pd.DataFrame, skipped: Sequence[tuple[str, str]] = ()) -> list[Sheet]:
    """Per protocol and metric: the matrix of means with drops, then the tests."""
    parts = split_by(rows_of(table), "protocol", *METRIC).values()
    both = [sheet for rows in parts for sheet in (_matrix(rows), _drops(rows))]
    return [sheet for sheet in both if sheet.rows]


def _matrix(rows: Rows) -> Sheet:
    columns = split_by(rows, "tested_on")
    printed = []
    rows = sorted(rows, key=lambda row: row["fitted_on"] == "")  # stable: the untrained go last
    for (method, fidelity, source), part in split_by(rows, *WEIGHTS).items():
        cells = by_key(part, "tested_on")
        words = [Cell(method), Cell(fidelity), Cell(wording.fitted_on(source))]
        printed.append([*words, *(_gap(cells.get(tested)) for (tested,) in columns)])
    everywhere, sims = wording.sim_apart(list(columns.values()))
    heads = [
        f"on {name}{sim} ({wording.patients(row['n'] for row in part)})"
        for ((name,), part), sim in zip(columns.items(), sims)
    ]
    first = rows[0]
    caption = (
        f"Domain gap: mean {wording.metric(first)}{everywhere}, protocol {first['protocol']}, by "
        "what the weights were fitted on (rows) and tested on (columns). In brackets: the drop "
        "against weights fitted on acquired thick slices, same cases; + is worse."
    )
    head = ["method", "fidelity", "fitted on", *heads]
    return Sheet(caption, head, printed, wording.odd_notes(rows), left=3)


def _gap(row: dict[str, Any] | None) -> Cell:
    if row is None:
        return Cell(wording.NOTHING)
    mean = wording.number(row["mean"], row["unit"]) + wording.odd_mark(row)
    compared = row["drop"] == row["drop"] and row["fitted_on"] != row["reference"]
    text = f"{mean} ({wording.signed(row['drop'], row['unit'])})" if compared else mean
    return Cell(text, row=row["row"])


def _drops(rows: Rows) -> Sheet:
    parts = split_by([row for row in rows if row["p"] == row["p"]], "tested_on").values()
    tested = [row for part in parts for row in part]
    printed = [
        [
            *(Cell(row[key]) for key in ("method", "fidelity", "fitted_on", "tested_on")),
            Cell(wording.gain(row["drop"], row["drop_low"], row["drop_high"], row["unit"])),
            Cell(wording.p_value(row["p"])),
            Cell(wording.p_value(row["p_holm"])),
            Cell(str(row["n_paired"])),
            Cell(str(row["row"])),
        ]
        for row in tested
    ]
    first = rows[0]
    caption = (
        f"What weights fitted elsewhere lose, {wording.metric(first)}{_sim(rows)}, protocol "
        f"{first['protocol']}: mean paired drop [95 % interval] against acquired-trained weights, "
        "one-sided Wilcoxon p over n patients (is the drop above zero?), and Holm's p over all "
        "weights tested on the same cases. Row: data row in domain_gap.csv."
    )
    head = ["method", "fidelity", "fitted on", "tested on", "drop", "p", "p (Holm)", "n", "row"]
    return Sheet(caption, head, printed, wording.footnotes(tested), left=4)


def _sim(rows: Sequence[dict[str, Any]]) -> str:
    return " (sim)" if any(row["sim"] for row in rows) else ""
