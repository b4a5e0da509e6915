"""Cells of tables on the page: a number with its row, its bar, and its shade."""

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, NamedTuple

from thinslice.report.tables.sheet import split_by


class Place(NamedTuple):
    """Where a number stands among those of its group, in 0 to 1 of the width of a cell."""

    mean: float
    low: float  # nan: no interval
    high: float
    from_zero: bool  # whether the left edge is zero: only then a bar is drawn
    shade: float  # 1 for the best of the group, 0 for the worst


class Entry(NamedTuple):
    """One cell: what is printed, what it sorts by, and the row it comes from."""

    text: str
    sort: float | str = ""
    row: int | None = None
    strong: bool = False
    place: Place | None = None


def places(rows: Sequence[Mapping[str, Any]]) -> dict[int, Place]:
    """Where each row's mean stands among these, by CSV row; rows without a number have none.

    A group is of one metric and one test set: only there means can be compared.
    """
    shown = [row for row in rows if math.isfinite(row["mean"])]
    if not shown:
        return {}
    ends = [end for row in shown for end in (row["mean"], row["low"], row["high"])]
    finite = [end for end in ends if math.isfinite(end)]
    low, high = min(finite), max(finite)
    from_zero = low >= 0 and shown[0]["better"] == "lower"
    left = 0.0 if from_zero else low - 0.08 * (high - low)
    width = (high - left) * 1.02 or 1.0
    means = [row["mean"] for row in shown]
    span = max(means) - min(means)

    def shade(mean: float) -> float:
        better = shown[0]["better"]
        if not span or better not in ("lower", "higher"):
            return 0.0
        share = (mean - min(means)) / span
        return share if better == "higher" else 1.0 - share

    return {
        row["row"]: Place(
            (row["mean"] - left) / width,
            (row["low"] - left) / width,
            (row["high"] - left) / width,
            from_zero,
            shade(row["mean"]),
        )
        for row in shown
    }


def column_places(rows: Sequence[Mapping[str, Any]]) -> dict[int, Place]:
    """Where each mean stands in a column of the main sheet: of one data set and degradation."""
    parts = split_by(rows, "dataset", "degradation").values()
    return {row: place for part in parts for row, place in places(part).items()}


def cell(entry: Entry, table: str, word: bool) -> str:
    """A cell as ``<td>``; a number of a row links to it, and says on hover which row it is."""
    text = f"<b>{escape(entry.text)}</b>" if entry.strong else escape(entry.text)
    attributes = ' class="word"' if word else ""
    if entry.sort != "":
        attributes += f' data-v="{_sortable(entry.sort)}"'
    if entry.row is None:
        return f"<td{attributes}>{text}</td>"
    name = escape(table)
    linked = (
        f'<a class="num" href="#{name}-{entry.row}" data-table="{name}" data-row="{entry.row}" '
        f'title="{name}.csv, row {entry.row}">{text}</a>'
    )
    if entry.place is None:
        return f"<td{attributes}>{linked}</td>"
    shade = f' style="--shade:{entry.place.shade:.2f}"'
    return f"<td{attributes}{shade}>{linked}{_bar(entry.place)}</td>"


def _sortable(value: float | str) -> str:
    return escape(value) if isinstance(value, str) else f"{value:.9g}"


def _bar(place: Place) -> str:
    """A bar to the mean where the scale starts at zero, else a dot; a whisker for the interval."""
    kind = "bar" if place.from_zero else "bar dot"
    style = f"--m:{100 * place.mean:.1f}%"
    if math.isfinite(place.low) and math.isfinite(place.high):
        style += f";--l:{100 * place.low:.1f}%;--w:{100 * (place.high - place.low):.1f}%"
    return f'<span class="{kind}" style="{style}" aria-hidden="true"></span>'
