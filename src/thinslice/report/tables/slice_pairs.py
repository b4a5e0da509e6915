"""Slice pairs as printed: how alike a thick slice and thin slices near it are, by distance."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from thinslice.columns import by_key
from thinslice.report.tables import wording
from thinslice.report.tables.sheet import Cell, Sheet, rows_of, split_by

QUESTION = "How alike are thick and thin slices?"


def sheets(table: pd.DataFrame, skipped: Sequence[tuple[str, str]] = ()) -> list[Sheet]:
    """Per data set and degradation: how alike thick and thin slices are, by distance."""
    parts = split_by(rows_of(table), "dataset", "degradation", "protocol").values()
    return [_pairs(rows) for rows in parts]


def _pairs(rows: list[dict[str, Any]]) -> Sheet:
    columns = split_by(rows, "metric")
    printed = []
    for (split, relation), part in split_by(rows, "split", "relation").items():
        cells = by_key(part, "metric")
        numbers = [
            Cell(wording.mean_of(cells[name]), row=cells[name]["row"])
            if name in cells
            else Cell(wording.NOTHING)
            for (name,) in columns
        ]
        distance = Cell(wording.number(part[0]["distance_mm"], "mm"))
        printed.append([Cell(split), Cell(relation), distance, *numbers, Cell(str(part[0]["n"]))])
    first = rows[0]
    where = wording.place(first["dataset"], first["degradation"], first["sim"])
    caption = (
        f"How alike a thick slice and thin slices near it are, {where}, protocol "
        f"{first['protocol']}: mean over n patients [95 % interval] by distance."
    )
    titles = [wording.metric(c[0]) for c in columns.values()]
    head = ["split", "relation", "distance (mm)", *titles, "n"]
    return Sheet(caption, head, printed, wording.footnotes(rows), left=2)
