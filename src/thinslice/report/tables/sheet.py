"""A sheet: one printed table, before it is Markdown, LaTeX, HTML or plain text."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import pandas as pd

from thinslice.columns import METRIC, TEXT, by_key, metric_name, metric_of


class Cell(NamedTuple):
    """One printed cell."""

    text: str
    strong: bool = False  # printed bold: best, and its interval meets no other's
    row: int | None = None  # data row of the table's CSV, the first being 1: what audit asks for


@dataclass(frozen=True)
class Sheet:
    """One printed table; numbers are already rounded and worded."""

    caption: str
    head: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    notes: Sequence[str] = ()
    left: int = 1  # columns from the left that are words; the rest are numbers
    beside: frozenset[int] = frozenset()  # columns that say nothing without the one to their left


def rows_of(table: pd.DataFrame) -> list[dict[str, Any]]:
    """The table's rows as plain dicts, text free of nan, each with its CSV ``row`` number.

    The table must come as the analysis gave it, in CSV order: the row numbers are counted here.
    """
    words = [name for name in table if name in TEXT]
    text = {name: table[name].astype(object).fillna("").astype(str) for name in words}
    plain = table.assign(**text).to_dict("records")
    return [{**{str(k): v for k, v in row.items()}, "row": i + 1} for i, row in enumerate(plain)]


def split_by(
    rows: Iterable[Mapping[str, Any]], *keys: str
) -> dict[tuple[Any, ...], list[dict[str, Any]]]:
    """Rows grouped by keys, in the order in which they first appear."""
    parts: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for row in rows:
        parts.setdefault(tuple(row[key] for key in keys), []).append(dict(row))
    return parts


def with_entrants(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Rows with ``entrant``: what the weights were fitted on, for every row of a method that is
    also tested elsewhere; "" where a method is tested only on what it was fitted on, or on nothing.
    """
    rows = [dict(row) for row in rows]
    places = {row["row"]: f"{row['dataset']}/{row['degradation']}" for row in rows}
    moved = {row["method"] for row in rows if row["fitted_on"] not in ("", places[row["row"]])}
    return [{**r, "entrant": r["fitted_on"] if r["method"] in moved else ""} for r in rows]


def entrant_name(row: Mapping[str, Any]) -> str:
    """The method of a row of ``with_entrants``, and what its weights were fitted on."""
    return f"{row['method']}, fitted on {row['entrant']}" if row["entrant"] else row["method"]


def name_entrants(rows: Iterable[Mapping[str, Any]], *cell: str) -> list[dict[str, Any]]:
    """Rows with ``method`` as a figure names it: its weights in brackets where ``entrant`` is.

    cell    what else makes a row another one, e.g. dataset, degradation, patient; Refused where two
            rows are one
    """
    rows = with_entrants(rows)
    sets = {row["entrant"].split("/")[0] for row in rows if row["entrant"]}

    def name(row: Mapping[str, Any]) -> str:
        source = row["entrant"] if len(sets) > 1 else row["entrant"].split("/")[-1]
        return f"{row['method']} ({source})" if source else row["method"]

    named = [{**row, "method": name(row)} for row in rows]
    by_key(named, "method", *cell)
    return named


def one_metric(
    rows: Sequence[Mapping[str, Any]], metric: str = "", protocol: str = ""
) -> list[dict[str, Any]]:
    """Rows of one metric and protocol; left out, those of the first row. LookupError for none.

    metric   as ``columns.metric_of`` reads it, e.g. "ssim coronal lung"
    """
    if metric:
        wanted = metric_of(metric)
    else:
        wanted = {key: rows[0][key] if rows else "" for key in METRIC}
    wanted["protocol"] = protocol or (rows[0]["protocol"] if rows else "")
    chosen = [dict(row) for row in rows if all(row[key] == wanted[key] for key in wanted)]
    if not chosen:
        name = metric_name(wanted)
        raise LookupError(f"no rows of metric {name!r} by protocol {wanted['protocol']!r} to draw")
    return chosen


def only(rows: Iterable[Mapping[str, Any]], **wanted: Collection[str]) -> list[dict[str, Any]]:
    """Select rows by key: each holds one of the values wanted; an empty collection wants all.

    LookupError where there are rows and none is selected.
    """
    rows = [dict(row) for row in rows]
    chosen = [row for row in rows if all(row[k] in words for k, words in wanted.items() if words)]
    if rows and not chosen:
        names = "; ".join(f"{key} {', '.join(words)}" for key, words in wanted.items() if words)
        raise LookupError(f"no rows of {names} to draw")
    return chosen


def best_row(rows: Sequence[Mapping[str, Any]]) -> int | None:
    """CSV row of the best mean, if its interval meets no other's; None where intervals overlap."""
    better = rows[0]["better"] if rows else ""
    if better not in ("lower", "higher") or len(rows) < 2:
        return None
    if any(row[key] != row[key] for row in rows for key in ("mean", "low", "high")):
        return None
    if len({row.get("left_out", "") for row in rows}) > 1:  # means over different patients
        return None
    if better == "lower":
        first, *rest = sorted(rows, key=lambda row: row["mean"])
        apart = all(first["high"] < row["low"] for row in rest)
    else:
        first, *rest = sorted(rows, key=lambda row: -row["mean"])
        apart = all(first["low"] > row["high"] for row in rest)
    return first["row"] if apart else None


def best_first(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Rows with the best mean first; by name where no way is better."""

    def rank(row: Mapping[str, Any]) -> tuple[float, str]:
        sign = {"lower": 1.0, "higher": -1.0}.get(row["better"], 0.0)
        missing = row["mean"] != row["mean"]
        return (float("inf") if missing else sign * row["mean"], row["method"])

    return sorted((dict(row) for row in rows), key=rank)
