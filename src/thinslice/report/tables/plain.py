"""An analysis without a layout as printed: column by column."""

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from thinslice.columns import TEXT
from thinslice.report.tables import wording
from thinslice.report.tables.sheet import Cell, Sheet, rows_of

UNPRINTED = ("records", "interval", "note", "left_out")  # footnotes have the last three


def sheets(name: str, table: pd.DataFrame) -> list[Sheet]:
    """One sheet: columns as they are, numbers to four figures."""
    columns = [column for column in table.columns if column not in UNPRINTED]
    rows = rows_of(table)
    printed = [
        [Cell(_plain(row[column]) + _mark(column, row)) for column in columns] for row in rows
    ]
    words = sum(1 for column in columns if column in TEXT)
    caption = f"{name}: as computed; every digit is in {name}.csv."
    return [Sheet(caption, columns, printed, wording.footnotes(rows), left=words)]


def _mark(column: str, row: Mapping[str, Any]) -> str:
    """The mark of a mean that is not over every patient; a footnote names them."""
    return wording.ODD if column == "mean" and row.get("left_out") else ""


def _plain(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}" if math.isfinite(value) else wording.number(value)
    return str(value)
