"""An analysis' table as Markdown, LaTeX or plain text.

Which layout a table gets is told by its columns, so a variant of an analysis under another name
looks like its original, and an analysis nobody laid out is printed column by column.
"""

from collections.abc import Sequence

import pandas as pd

from thinslice.report.tables import benchmark, comparisons, other, published
from thinslice.report.tables.sheet import Cell, Sheet

# A column that only this analysis has, and its layout.
LAYOUTS = {
    "published": benchmark.sheets,
    "tested_on": lambda table, _: comparisons.gap_sheets(table),
    "median_gain": lambda table, _: comparisons.significance_sheets(table),
    "wall_s": lambda table, _: other.efficiency_sheets(table),
    "relation": lambda table, _: other.pair_sheets(table),
    "cases": lambda table, _: other.patient_sheets(table),
    "paper_value": lambda table, _: published.published_sheets(table),
}
LATEX = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "&": r"\&", "%": r"\%", "$": r"\$",
    "#": r"\#", "_": r"\_", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "↓": r"$\downarrow$", "↑": r"$\uparrow$", "∞": r"$\infty$", "±": r"$\pm$", "–": "--",
    "<": r"\textless{}", ">": r"\textgreater{}", "[": "{[}", "]": "{]}", "†": r"\dag{}",
    "×": r"$\times$",
}  # fmt: skip


def texts(
    name: str, table: pd.DataFrame, skipped: Sequence[tuple[str, str]] = ()
) -> dict[str, str]:
    """A table as its files hold it, by ending: full precision, and as people read it."""
    return {
        ".csv": table.to_csv(index=False),
        ".md": markdown(name, table, skipped),
        ".tex": latex(name, table, skipped),
    }


def sheets(name: str, table: pd.DataFrame, skipped: Sequence[tuple[str, str]] = ()) -> list[Sheet]:
    """The printed tables of an analysis called ``name``; none where it has no rows."""
    if table.empty:
        return []
    for column, layout in LAYOUTS.items():
        if column in table:
            return layout(table, skipped)
    return other.plain_sheets(name, table)


def markdown(name: str, table: pd.DataFrame, skipped: Sequence[tuple[str, str]] = ()) -> str:
    """The analysis as a Markdown page (GitHub's tables)."""
    parts = [_markdown(sheet) for sheet in sheets(name, table, skipped)]
    return f"# {_escape(name)}\n\n" + ("\n".join(parts) or "Nothing was scored for this table.\n")


def latex(name: str, table: pd.DataFrame, skipped: Sequence[tuple[str, str]] = ()) -> str:
    r"""The analysis as LaTeX tables; needs \usepackage{booktabs,longtable}."""
    head = f"% {name}; needs \\usepackage{{booktabs,longtable}}\n"
    parts = [_latex(sheet) for sheet in sheets(name, table, skipped)]
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


def _markdown(sheet: Sheet) -> str:
    def entry(cell: Cell) -> str:
        return f"**{_escape(cell.text)}**" if cell.strong else _escape(cell.text)

    rule = ["---" if k < sheet.left else "---:" for k in range(len(sheet.head))]
    lines = [[_escape(title) for title in sheet.head], rule]
    lines += [[entry(cell) for cell in row] for row in sheet.rows]
    body = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    notes = "".join(f"- {_escape(note)}\n" for note in sheet.notes)
    return f"{_escape(sheet.caption)}\n\n{body}\n\n{notes}"


def _escape(words: str) -> str:
    """Markdown's own characters taken literally; underscores inside words are literal already."""
    for character in "\\`*|<":
        words = words.replace(character, f"\\{character}")
    return words.replace("\n", " ")


def _latex(sheet: Sheet) -> str:
    def entry(cell: Cell) -> str:
        return rf"\textbf{{{_tex(cell.text)}}}" if cell.strong else _tex(cell.text)

    columns = "l" * sheet.left + "r" * (len(sheet.head) - sheet.left)
    rows = "\n".join(" & ".join(entry(cell) for cell in row) + r" \\" for row in sheet.rows)
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
