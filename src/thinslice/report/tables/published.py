"""A paper's tables as the paper lays them out, each number with ours next to it."""

import string
from collections.abc import Iterator, Mapping, Sequence
from itertools import count, product
from typing import Any

import pandas as pd

from thinslice.columns import by_key
from thinslice.report.tables import wording
from thinslice.report.tables.sheet import Cell, Sheet, rows_of, split_by

Rows = list[dict[str, Any]]
QUESTION = "A paper's tables beside ours"
OURS, DAGGER, MARK = "ours", "†", "*"


def sheets(table: pd.DataFrame, skipped: Sequence[tuple[str, str]] = ()) -> list[Sheet]:
    """One per table of the paper: its rows down, its columns across, ours right of each number."""
    return [_sheet(rows) for rows in split_by(rows_of(table), "table").values()]


def _sheet(rows: Rows) -> Sheet:
    first = rows[0]
    columns = split_by(sorted(rows, key=lambda row: row["across"]), "printed_column")
    ours = [row for row in rows if _measured(row)]
    daggers, printed = _daggers(ours), []
    for (line,), part in split_by(rows, "printed_row").items():
        cells = by_key(part, "printed_column")
        pairs = [_pair(cells.get(name), column, daggers) for (name,), column in columns.items()]
        printed.append([Cell(line), *(cell for pair in pairs for cell in pair)])
    heads = [head for (name,), column in columns.items() for head in _heads(name, column)]
    beside_it = "ours beside it: mean over n test patients [95 % interval] (ours - the paper's)"
    known = [row["paper_n"] for row in rows if pd.notna(row["paper_n"])]
    over = f" ({wording.patients(known)})" if known else ""
    caption = (
        f"{first['paper']}, {first['title']}: the paper's number{over}, and "
        f"{beside_it if ours else 'none of ours'}."
    )
    notes = [*_notes(rows, ours, daggers), *_why_not(rows)]
    beside = frozenset(k + 1 for k, head in enumerate(heads) if head.startswith(OURS))
    return Sheet(caption, ["", *heads], printed, notes, beside=beside)


def _measured(row: Mapping[str, Any]) -> bool:
    return row["mean"] == row["mean"]


def _daggers(ours: Rows) -> dict[str, str]:
    """The mark of every stand-in, with letters where there are several; none where it is empty."""
    instead = list(dict.fromkeys(row["stand_in"] for row in ours if row["stand_in"]))
    letters = _letters() if len(instead) > 1 else [""]
    return {"": "", **{words: f"{DAGGER}{letter}" for words, letter in zip(instead, letters)}}


def _letters() -> Iterator[str]:
    """a to z, then aa, ab, ...: every method and metric of a paper may have a stand-in."""
    for length in count(1):
        yield from map("".join, product(string.ascii_lowercase, repeat=length))


def _heads(name: str, column: Rows) -> list[str]:
    """The paper's head, and one for ours where there is any, with its n and whether simulated."""
    ours = [row for row in column if _measured(row)]
    if not ours:
        return [name]
    sim = ", sim" if any(row["sim"] for row in ours) else ""
    return [name, f"{OURS} ({wording.patients(row['n'] for row in ours)}{sim})"]


def _pair(row: Mapping[str, Any] | None, column: Rows, daggers: Mapping[str, str]) -> list[Cell]:
    """One printed number and, where the column has any of ours, ours."""
    theirs = Cell(_theirs(row, column), row=row["row"]) if row else Cell(wording.NOTHING)
    if not any(_measured(other) for other in column):
        return [theirs]
    if row is None or not _measured(row):
        return [theirs, Cell(wording.NOTHING)]
    return [theirs, Cell(_ours(row, column) + daggers[row["stand_in"]], row=row["row"])]


def _theirs(row: Mapping[str, Any], column: Rows) -> str:
    """As the paper prints it: with its column's decimals, its sd and its mark of significance."""
    if row["metric"] == "parameters":
        return wording.count(row["paper_value"])
    places = max(_decimals(row), _places(column))
    spread = row["paper_sd"]
    sd = f" ± {spread:.{places}f}" if spread == spread else ""
    return f"{row['paper_value']:.{places}f}{sd}{row['paper_mark']}"


def _ours(row: Mapping[str, Any], column: Rows) -> str:
    """Our number with the paper's decimals and its difference."""
    if row["metric"] == "parameters":
        return wording.count(row["mean"])
    places = _places(column)
    spread, difference = row["sd"], row["difference"]
    sd = (
        f" ± {spread:.{places}f}" if row["paper_sd"] == row["paper_sd"] and spread == spread else ""
    )
    text = f"{wording.mean_of(row, places=places)}{sd}{row['mark']}"
    return f"{text}{f' ({difference:+.{places}f})' if difference == difference else ''}"


def _places(column: Rows) -> int:
    """Decimals of the column: as many as two of its numbers need, for one may be a misprint."""
    decimals = sorted((_decimals(row) for row in column), reverse=True)
    return decimals[1] if len(decimals) > 2 else decimals[0]


def _decimals(row: Mapping[str, Any]) -> int:
    return len(repr(float(row["paper_value"])).partition(".")[2])


def _notes(rows: Rows, ours: Rows, daggers: Mapping[str, str]) -> list[str]:
    """What marks mean, what ours reproduces, and every note of a single number."""
    notes = []
    if any(row["paper_mark"] for row in rows):
        notes.append(f"{MARK}: the paper's own mark of significance.")
    for test in dict.fromkeys(row["test"] for row in ours if row["test"]):
        notes.append(
            f"{MARK} of ours: significantly {test}, not corrected for the number of tests."
        )
    notes += [
        f"{dagger}: not the paper's cell, and not to be compared: {instead}."
        for instead, dagger in daggers.items()
        if instead
    ]
    named: dict[str, dict[str, None]] = {}
    for row in ours:
        named.setdefault(row["fidelity"], {})[row["ours_on"].split("/")[-1]] = None
    labels = "; ".join(f"{label}: {', '.join(names)}" for label, names in named.items())
    protocols = dict.fromkeys(row["protocol"] for row in ours if row["protocol"])
    if labels:
        notes.append(f"Fidelity of ours: {labels}.")
    if protocols:
        notes.append(f"Ours is scored by protocol {', '.join(protocols)}.")
    return [*notes, *wording.footnotes(rows)]


def _why_not(rows: Rows) -> list[str]:
    """One footnote per reason: the rows it holds for, and their columns where not in all."""
    everything = {
        line: [row["printed_column"] for row in part]
        for (line,), part in split_by(rows, "printed_row").items()
    }
    notes = []
    for (reason,), part in split_by([r for r in rows if not _measured(r)], "why").items():
        by_columns: dict[tuple[str, ...], list[str]] = {}
        for (line,), lacking in split_by(part, "printed_row").items():
            columns = [row["printed_column"] for row in lacking]
            key = () if columns == everything[line] else tuple(columns)
            by_columns.setdefault(key, []).append(line)
        lines = [
            _listed(names, everything) + (f" ({', '.join(columns)})" if columns else "")
            for columns, names in by_columns.items()
        ]
        notes.append(f"No number of ours, {'; '.join(lines)}: {reason}.")
    return notes


def _listed(names: Sequence[str], everything: Mapping[str, Any]) -> str:
    return "every row" if len(names) == len(everything) else ", ".join(names)
