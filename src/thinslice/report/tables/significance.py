"""Tests between methods as printed: every pair with a gain, largest first."""

from collections.abc import Collection, Sequence
from typing import Any

import pandas as pd

from thinslice.columns import METRIC, by_key
from thinslice.report.tables import wording
from thinslice.report.tables.sheet import (
    Cell,
    Sheet,
    entrant_name,
    rows_of,
    split_by,
    with_entrants,
)

Rows = list[dict[str, Any]]
QUESTION = "Is one method better than another?"


def sheets(table: pd.DataFrame, skipped: Sequence[tuple[str, str]] = ()) -> list[Sheet]:
    """Per data set, degradation, protocol and metric: every pair with a gain, largest first."""
    rows = with_entrants(rows_of(table))
    moved = {row["method"] for row in rows if row["entrant"]}
    parts = split_by(
        [_with_rival(row, moved) for row in rows], "dataset", "degradation", "protocol", *METRIC
    ).values()
    return [_tests(rows) for rows in parts]


def _with_rival(row: dict[str, Any], moved: Collection[str]) -> dict[str, Any]:
    """The row with the names of both sides of the pair."""
    source = row["against_fitted_on"] if row["against"] in moved else ""
    rival = entrant_name({"method": row["against"], "entrant": source})
    return {**row, "method": entrant_name(row), "against": rival, "entrant": ""}


def _tests(rows: Rows) -> Sheet:
    by_key(rows, "method", "fidelity", "against", "against_fidelity")  # refuses two of one name
    shown = sorted(
        (row for row in rows if row["median_gain"] > 0), key=lambda row: -row["median_gain"]
    )
    printed = [
        [
            Cell(row["method"]),
            Cell(row["fidelity"]),
            Cell(row["against"]),
            Cell(row["against_fidelity"]),
            Cell(
                wording.gain(row["median_gain"], row["low"], row["high"], row["unit"])
                + wording.odd_mark(row)
            ),
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
        f"{first['protocol']}: median paired gain over n patients [95 % interval], p "
        f"({first['test']}), and Holm's p over {first['family']} tests of pairs; pairs with a gain "
        "are shown. Row: data row in significance.csv."
    )
    head = ["method", "fidelity", "over", "its fidelity", "gain", "p", "p (Holm)", "n", "row"]
    return Sheet(caption, head, printed, wording.footnotes(rows), left=4)
