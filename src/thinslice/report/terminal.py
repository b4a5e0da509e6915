"""The main table, and papers' tables next to ours, as plain text for the end of a run."""

import textwrap
from collections.abc import Sequence

import pandas as pd

from thinslice.report.tables import typeset
from thinslice.report.tables.benchmark import main_sheets
from thinslice.report.tables.published import sheets as published_sheets
from thinslice.report.tables.sheet import Sheet
from thinslice.report.tables.typeset import AnalysisTable

WIDTH = 100
FIDELITY = 1  # its column in a main sheet


def summary(
    tables: Sequence[AnalysisTable],
    skipped: Sequence[tuple[str, str]] = (),
    scans: Sequence[tuple[str, str]] = (),
) -> str:
    """The main table of every benchmark, then every paper's tables next to ours, notes on scans."""
    main = [main_table(t.rows, skipped) for t in tables if t.layout == "benchmark"]
    papers = [paper_tables(t.rows) for t in tables if t.layout == "published"]
    notes = "\n".join(_wrapped(f"{dataset}, {note}") for dataset, note in scans)
    return "\n\n".join([*main, *papers, *([f"Notes on the scans:\n{notes}"] if notes else [])])


def main_table(benchmark: pd.DataFrame, skipped: Sequence[tuple[str, str]] = ()) -> str:
    """The benchmark's main table, at most 100 columns wide; columns that do not fit go below."""
    if benchmark.empty:
        return "Nothing was scored."
    return "\n\n".join(_printed(sheet) for sheet in main_sheets(benchmark, skipped))


def paper_tables(published: pd.DataFrame) -> str:
    """Papers' tables next to ours, in lines of the same width."""
    return "\n\n".join(_plain(sheet) for sheet in published_sheets(published))


def _printed(sheet: Sheet) -> str:
    caption = sheet.caption.replace("Bold: ", "*: ")
    starred = _starred(sheet)
    notes = [_fidelities(sheet), *sheet.notes]
    return _plain(Sheet(caption, starred.head, starred.rows, notes, left=starred.left))


def _plain(sheet: Sheet) -> str:
    notes = "\n".join(_wrapped(note) for note in sheet.notes)
    parts = [textwrap.fill(sheet.caption, WIDTH), *_blocks(sheet), notes]
    return "\n\n".join(part for part in parts if part)


def _starred(sheet: Sheet) -> Sheet:
    """A terminal has no bold and little room: an asterisk before the interval, no fidelity."""
    rows = [
        [
            cell._replace(text=cell.text.replace(" [", "*[")) if cell.strong else cell
            for k, cell in enumerate(row)
            if k != FIDELITY
        ]
        for row in sheet.rows
    ]
    head = [title for k, title in enumerate(sheet.head) if k != FIDELITY]
    return Sheet(sheet.caption, head, rows, sheet.notes, left=1)


def _fidelities(sheet: Sheet) -> str:
    """What each method reproduces, as a footnote."""
    named: dict[str, list[str]] = {}
    for row in sheet.rows:
        named.setdefault(row[FIDELITY].text, []).append(row[0].text)
    labels = "; ".join(f"{label}: {', '.join(methods)}" for label, methods in named.items())
    return f"Fidelity: {labels}."


def _blocks(sheet: Sheet) -> list[str]:
    """The sheet in as many parts, side by side cut, as fit the width; names repeat in each."""
    numbers = list(range(sheet.left, len(sheet.head)))
    blocks, start = [], 0
    while start < len(numbers):
        stop = len(numbers)
        while stop > start + 1 and not _ends_well(sheet, numbers, start, stop):
            stop -= 1
        blocks.append(typeset.text(_part(sheet, numbers[start:stop])))
        start = stop
    return blocks


def _ends_well(sheet: Sheet, numbers: Sequence[int], start: int, stop: int) -> bool:
    """Whether columns fit the width and do not separate a column from the one to its left."""
    parted = stop < len(numbers) and numbers[stop] in sheet.beside
    return not parted and _width(_part(sheet, numbers[start:stop])) <= WIDTH


def _part(sheet: Sheet, columns: Sequence[int]) -> Sheet:
    keep = [*range(sheet.left), *columns]
    rows = [[row[k] for k in keep] for row in sheet.rows]
    return Sheet(sheet.caption, [sheet.head[k] for k in keep], rows, left=sheet.left)


def _width(sheet: Sheet) -> int:
    return max(len(line) for line in typeset.text(sheet).splitlines())


def _wrapped(note: str) -> str:
    return textwrap.fill(note, WIDTH, initial_indent="- ", subsequent_indent="  ")
