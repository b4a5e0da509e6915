"""Find the cells of tables that print a number.

A table holds full precision; people see it rounded, by its unit. A cell prints a number if that is
how the cell stands in the CSV, how typeset tables round it, or its value to as many decimals.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from thinslice.audit import question, recompute
from thinslice.columns import COLUMNS
from thinslice.errors import Refused
from thinslice.provenance.records import BrokenLinkError
from thinslice.report.tables import wording

NUMBER = re.compile(r"[+-]?\d+(\.\d+)?( ?[kM])?|-?∞")
KINDS = {column.name: column.dtype for column in COLUMNS}


class Printed(NamedTuple):
    """One cell that prints the number."""

    table: Path
    row: int
    column: str
    value: str
    words: str  # which row it is

    def line(self) -> str:
        """Where it is, as ``audit`` takes it, and what it is."""
        return f"{self.table} --row {self.row} --cell {self.column}  {self.value}  {self.words}"


def find(text: str, tables: list[Path]) -> list[Printed]:
    """The cells of tables that print a number, main numbers first; Refused for what is none."""
    number = text.strip().replace("\N{MINUS SIGN}", "-").replace("inf", "∞")
    if not NUMBER.fullmatch(number):
        raise Refused(f"{text!r} is no number as tables print it; write 59.3, -1.2, 121 k or ∞")
    cells = [cell for table in tables for cell in _in_table(number.removeprefix("+"), table)]
    return sorted(cells, key=lambda cell: _rank(cell.column))


def tables(results: Path) -> list[Path]:
    """Every table of a results folder."""
    folder = results / "tables"
    if not folder.is_dir():
        raise Refused(f"no folder {folder}: name the results folder with --results")
    return sorted(folder.glob("*.csv"))


def _rank(column: str) -> int:
    mains = question.NUMBERS
    return mains.index(column) if column in mains else len(mains)


def _in_table(number: str, table: Path) -> Iterator[Printed]:
    try:
        rows = recompute.rows_of(table)
    except (UnicodeDecodeError, ValueError) as error:
        raise BrokenLinkError(f"{table} is no table: {error}") from None
    columns = [name for name in rows if KINDS.get(name) in ("float", "int")]
    for k, row in enumerate(rows.to_dict("records"), start=1):
        for column in columns:
            if number in _printed(row[column], row, number):
                words = question.row_words(row)
                yield Printed(table, k, column, f"{row[column]} {row.get('unit', '')}", words)


def _printed(cell: str, row: dict[str, Any], number: str) -> set[str]:
    """Every way in which a cell may stand on paper."""
    try:
        value = float(cell)
    except ValueError:
        return set()
    forms = {cell, wording.number(value, row.get("unit", ""))}
    if number.endswith(("k", "M")):
        forms.add(wording.count(value))
    if "." in number and value == value and abs(value) < float("inf"):
        decimals = len(re.sub(r"[^\d.]", "", number).split(".")[1])
        forms |= {f"{value:.{decimals}f}", wording.seconds(value), wording.p_value(value)}
    return forms
