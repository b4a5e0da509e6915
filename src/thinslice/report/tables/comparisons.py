"""Comparisons as printed: the domain gap, and tests between methods."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from thinslice.report.tables import wording
from thinslice.report.tables.sheet import Cell, Sheet, rows_of, split_by

Rows = list[dict[str, Any]]
WEIGHTS = ("method", "fidelity", "fitted_on")


def gap_sheets(table: pd.DataFrame) -> list[Sheet]:
    """Per protocol and metric: the matrix of means with drops, then the tests."""
    parts = split_by(rows_of(table), "protocol", "metric").values()
    found = [sheet for rows in parts for sheet in (_matrix(rows), _drops(rows))]
    return [sheet for sheet in found if sheet.rows]


def _matrix(rows: Rows) -> Sheet:
    columns = split_by(rows, "tested_on")
    printed = []
    rows = sorted(rows, key=lambda row: row["fitted_on"] == "")  # stable: the untrained go last
    for (method, fidelity, source), own in split_by(rows, *WEIGHTS).items():
        cells = {row["tested_on"]: row for row in own}
        words = [Cell(method), Cell(fidelity), Cell(wording.fitted_on(source))]
        printed.append([*words, *(_gap(cells.get(tested)) for (tested,) in columns)])
    everywhere, sims = wording.sim_apart(list(columns.values()))
    heads = [
        f"on {name}{sim} ({wording.patients(row['n'] for row in own)})"
        for ((name,), own), sim in zip(columns.items(), sims)
    ]
    first = rows[0]
    caption = (
        f"Domain gap: mean {wording.metric(first)}{everywhere}, protocol {first['protocol']}, by "
        "what the weights were fitted on (rows) and tested on (columns). In brackets: the drop "
        "against weights fitted on acquired thick slices, same cases; + is worse."
    )
    head = ["method", "fidelity", "fitted on", *heads]
    return Sheet(caption, head, printed, left=3)


def _gap(row: dict[str, Any] | None) -> Cell:
    if row is None:
        return Cell(wording.NOTHING)
    mean = wording.number(row["mean"], row["unit"])
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


def significance_sheets(table: pd.DataFrame) -> list[Sheet]:
    """Per data set, degradation, protocol and metric: every pair with a gain, largest first."""
    parts = split_by(rows_of(table), "dataset", "degradation", "protocol", "metric").values()
    return [_tests(rows) for rows in parts]


def _tests(rows: Rows) -> Sheet:
    shown = sorted(
        (row for row in rows if row["median_gain"] > 0), key=lambda row: -row["median_gain"]
    )
    printed = [
        [
            Cell(row["method"]),
            Cell(row["fidelity"]),
            Cell(row["against"]),
            Cell(row["against_fidelity"]),
            Cell(wording.gain(row["median_gain"], row["low"], row["high"], row["unit"])),
            Cell(wording.p_value(row["p"])),
            Cell(wording.p_value(row["p_holm"])),
            Cell(str(row["n"])),
            Cell(str(row["row"])),
        ]
        for row in shown
    ]
    first = rows[0]
    where = wording.place(first["dataset"], first["degradation"], first["sim"])
    caption = (
        f"Is one method better than another? {wording.metric(first)} on {where}, protocol "
        f"{first['protocol']}: median paired gain over n patients [95 % interval], one-sided "
        f"Wilcoxon p, and Holm's p over all {first['family']} ordered pairs; pairs with a gain "
        "are shown. Row: data row in significance.csv."
    )
    head = ["method", "fidelity", "over", "its fidelity", "gain", "p", "p (Holm)", "n", "row"]
    return Sheet(caption, head, printed, wording.footnotes(rows), left=4)


def _sim(rows: Sequence[dict[str, Any]]) -> str:
    return " (sim)" if any(row["sim"] for row in rows) else ""
