"""An analysis' table as Markdown, LaTeX or plain text.

The module of an analysis names its layout in ``LAYOUT``, so a variant under another name looks
like its original; without a layout a table is printed column by column.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import pandas as pd

from thinslice import plugins
from thinslice.report.tables import (
    benchmark,
    domain_gap,
    efficiency,
    patients,
    plain,
    published,
    significance,
    slice_pairs,
    wording,
)
from thinslice.report.tables.sheet import Cell, Sheet

LAYOUTS = {
    "benchmark": benchmark,
    "domain_gap": domain_gap,
    "efficiency": efficiency,
    "patients": patients,
    "published": published,
    "significance": significance,
    "slice_pairs": slice_pairs,
}
PLACES = ("dataset", "tested_on", "fitted_on", "ours_on")  # columns that name a data set
LATEX = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "&": r"\&", "%": r"\%", "$": r"\$",
    "#": r"\#", "_": r"\_", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "↓": r"$\downarrow$", "↑": r"$\uparrow$", "∞": r"$\infty$", "±": r"$\pm$", "–": "--",
    "<": r"\textless{}", ">": r"\textgreater{}", "[": "{[}", "]": "{]}",
    "†": r"\dag{}", "‡": r"\ddag{}", "×": r"$\times$",
}  # fmt: skip


class AnalysisTable(NamedTuple):
    """What an analysis gave, with what it takes to print it."""

    name: str  # as the config names the analysis
    layout: str  # a key of LAYOUTS, or "" for none
    rows: pd.DataFrame


def analysis_table(card: Mapping[str, Any], rows: pd.DataFrame) -> AnalysisTable:
    """The rows that the analysis of a card gave, with the layout its module names."""
    layout = getattr(plugins.module("analyses", card), "LAYOUT", "")
    if layout and layout not in LAYOUTS:
        raise LookupError(f"analysis {card['name']!r}: no layout {layout!r}; {sorted(LAYOUTS)}")
    return AnalysisTable(card["name"], layout, rows)


def texts(
    table: AnalysisTable,
    skipped: Sequence[tuple[str, str]] = (),
    scans: Sequence[tuple[str, str]] = (),
) -> dict[str, str]:
    """A table as its files hold it, by ending: full precision, and as people read it."""
    return {
        ".csv": table.rows.to_csv(index=False),
        ".md": markdown(table, skipped, scans),
        ".tex": latex(table, skipped, scans),
    }


def sheets(
    table: AnalysisTable,
    skipped: Sequence[tuple[str, str]] = (),
    scans: Sequence[tuple[str, str]] = (),
) -> list[Sheet]:
    """Lay out the printed tables of an analysis; none where it has no rows.

    skipped    cells that were not run, with the reason
    scans      data sets, with what readers warned of: footnotes of the last sheet
    """
    if table.rows.empty:
        return []
    if not table.layout:
        laid = plain.sheets(table.name, table.rows)
    else:
        laid = LAYOUTS[table.layout].sheets(table.rows, skipped)
    notes = [
        wording.sentence(f"Scans, {dataset}, {note}")
        for dataset, note in scans
        if _shows(table.rows, dataset)
    ]
    return [*laid[:-1], replace(laid[-1], notes=[*laid[-1].notes, *notes])] if laid else []


def _shows(rows: pd.DataFrame, dataset: str) -> bool:
    """Whether a table has numbers of a data set, or of weights fitted on it."""
    places = [rows[name].astype(str) for name in PLACES if name in rows]
    return any(
        (place == dataset).any() or place.str.startswith(f"{dataset}/").any() for place in places
    )


def question(table: AnalysisTable) -> str:
    """The question a table answers; its name where it has no layout."""
    return LAYOUTS[table.layout].QUESTION if table.layout else table.name


def markdown(
    table: AnalysisTable,
    skipped: Sequence[tuple[str, str]] = (),
    scans: Sequence[tuple[str, str]] = (),
) -> str:
    """The analysis as a Markdown page (GitHub's tables)."""
    parts = [_markdown(sheet, table.name) for sheet in sheets(table, skipped, scans)]
    body = "\n".join(parts) or "Nothing was scored for this table.\n"
    return f"# {_escape(table.name)}\n\n{body}"


def latex(
    table: AnalysisTable,
    skipped: Sequence[tuple[str, str]] = (),
    scans: Sequence[tuple[str, str]] = (),
) -> str:
    r"""The analysis as LaTeX tables; needs \usepackage{booktabs,longtable}."""
    head = f"% {table.name}; needs \\usepackage{{booktabs,longtable}}\n"
    parts = [_latex(sheet, table.name) for sheet in sheets(table, skipped, scans)]
    return head + ("\n".join(parts) or "% Nothing was scored for this table.\n")


def text(sheet: Sheet) -> str:
    """A sheet in aligned columns for a terminal, without its caption."""
    rows = [list(sheet.head), *([cell.text for cell in row] for row in sheet.rows)]
    widths = [max(len(row[k]) for row in rows) for k in range(len(sheet.head))]
    lines = [
        "  ".join(
            entry.ljust(width) if k < sheet.left else entry.rjust(width)
            for k, (entry, width) in enumerate(zip(row, widths))
        ).rstrip()
        for row in rows
    ]
    lines.insert(1, "-" * max(len(line) for line in lines))
    return "\n".join(lines)


def _addresses(sheet: Sheet, name: str) -> list[str]:
    """Of every line the rows of the CSV that its numbers are from, as ``audit`` takes them."""
    lines = [dict.fromkeys(str(cell.row) for cell in line if cell.row) for line in sheet.rows]
    return [f"{name}.csv --row {' '.join(rows)}" if rows else "" for rows in lines]


def _markdown(sheet: Sheet, name: str) -> str:
    def entry(cell: Cell) -> str:
        return f"**{_escape(cell.text)}**" if cell.strong else _escape(cell.text)

    rule = ["---" if k < sheet.left else "---:" for k in range(len(sheet.head))]
    lines = [[_escape(title) for title in sheet.head], rule]
    lines += [[entry(cell) for cell in row] for row in sheet.rows]
    rows = ["", "", *(f" <!-- {where} -->" if where else "" for where in _addresses(sheet, name))]
    body = "\n".join(f"| {' | '.join(line)} |{where}" for line, where in zip(lines, rows))
    notes = "".join(f"- {_escape(note)}\n" for note in sheet.notes)
    return f"{_escape(sheet.caption)}\n\n{body}\n\n{notes}"


def _escape(words: str) -> str:
    """Markdown's own characters taken literally; underscores inside words are literal already."""
    for character in "\\`*|<":
        words = words.replace(character, f"\\{character}")
    return words.replace("\n", " ")


def _latex(sheet: Sheet, name: str) -> str:
    def entry(cell: Cell) -> str:
        return rf"\textbf{{{_tex(cell.text)}}}" if cell.strong else _tex(cell.text)

    columns = "l" * sheet.left + "r" * (len(sheet.head) - sheet.left)
    lines = [" & ".join(entry(cell) for cell in row) + r" \\" for row in sheet.rows]
    where = [f" % {words}" if words else "" for words in _addresses(sheet, name)]
    rows = "\n".join(line + words for line, words in zip(lines, where))
    notes = "".join(rf"{_tex(note)}\par" + "\n" for note in sheet.notes)
    return "\n".join(
        [
            rf"\begin{{longtable}}{{{columns}}}",
            rf"\caption{{{_tex(sheet.caption)}}}\\",
            r"\toprule",
            " & ".join(_tex(title) for title in sheet.head) + r" \\",
            r"\midrule",
            r"\endhead",
            rows,
            r"\bottomrule",
            r"\end{longtable}",
            rf"{{\footnotesize\noindent {notes}}}" + "\n",
        ]
    )


def _tex(words: str) -> str:
    return "".join(LATEX.get(character, character) for character in words).replace("\n", " ")
