"""Patients as printed: methods down, every test patient across."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from thinslice.columns import METRIC, by_key
from thinslice.report.tables import wording
from thinslice.report.tables.sheet import (
    Cell,
    Sheet,
    best_first,
    entrant_name,
    rows_of,
    split_by,
    with_entrants,
)

QUESTION = "Every patient"


def sheets(table: pd.DataFrame, skipped: Sequence[tuple[str, str]] = ()) -> list[Sheet]:
    """Per data set, degradation, protocol and metric: methods down, patients across."""
    rows = with_entrants(rows_of(table))
    parts = split_by(rows, "dataset", "degradation", "protocol", *METRIC).values()
    return [_patients(rows) for rows in parts]


def _patients(rows: list[dict[str, Any]]) -> Sheet:
    names = sorted({row["patient"] for row in rows})
    printed = []
    entrants = split_by(best_first(rows), "method", "fidelity", "entrant")
    for (_, fidelity, _), part in entrants.items():
        values = by_key(part, "patient")
        numbers = [
            Cell(wording.number(values[p]["value"], values[p]["unit"]), row=values[p]["row"])
            if p in values
            else Cell(wording.NOTHING)
            for p in names
        ]
        printed.append([Cell(entrant_name(part[0])), Cell(fidelity), *numbers])
    first = rows[0]
    where = wording.place(first["dataset"], first["degradation"], first["sim"])
    caption = (
        f"Every test patient (n = {len(names)}), {wording.metric(first)} on {where}, protocol "
        f"{first['protocol']}; scans of one patient are averaged."
    )
    return Sheet(caption, ["method", "fidelity", *names], printed, wording.odd_notes(rows), left=2)
