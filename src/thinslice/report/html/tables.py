"""Tables of the page: printed sheets, and every row of an analysis in one table to search."""

from collections.abc import Mapping, Sequence
from html import escape

from thinslice.report.html.cells import Entry, Place, cell
from thinslice.report.html.elements import items
from thinslice.report.html.glossary import Glossary
from thinslice.report.html.long_table import Column, LongTable
from thinslice.report.tables.sheet import Cell, Sheet

MOST_PRINTED = 40  # rows of a table that are printed on paper; of more, its file is the copy


def sheet(
    printed: Sheet, table: str, words: Glossary, places: Mapping[int, Place] | None = None
) -> str:
    """A printed sheet.

    table     name of the analysis, whose CSV rows the cells are of
    places    of the means in their columns, by CSV row: these cells get bars and shades
    """
    places = places or {}

    def entry(each: Cell) -> Entry:
        place = places.get(each.row) if each.row is not None else None
        return Entry(each.text, "", each.row, each.strong, place)

    columns = [Column(title, word=k < printed.left) for k, title in enumerate(printed.head)]
    rows = [[entry(each) for each in row] for row in printed.rows]
    return _table(columns, rows, printed.caption, table, words) + items(printed.notes, "notes")


def long(content: LongTable, table: str, words: Glossary) -> str:
    """Every row of an analysis: each has an id that its numbers link to."""
    kind = "long many" if len(content.rows) > MOST_PRINTED else "long"
    body = _table(content.columns, content.rows, content.caption, table, words, kind)
    return body + items(content.notes, "notes")


def _table(
    columns: Sequence[Column],
    rows: Sequence[Sequence[Entry]],
    caption: str,
    table: str,
    words: Glossary,
    kind: str = "",
) -> str:
    titles = "".join(_head(column, words) for column in columns)
    body = "\n".join(_row(row, columns, table, bool(kind)) for row in rows)
    shown = f' class="{kind}"' if kind else ""
    label = escape(caption.split(":")[0])
    return (
        f'<p class="caption">{words.mark(caption)}</p>'
        f'<div class="wide" tabindex="0" role="group" aria-label="{label}">'
        f'<table{shown} data-table="{escape(table)}" aria-label="{label}">'
        f"<thead><tr>{titles}</tr></thead><tbody>\n{body}\n</tbody></table></div>"
    )


def _head(column: Column, words: Glossary) -> str:
    kind = ' class="word"' if column.word else ""
    chosen = " data-filter" if column.filtered else ""
    return f'<th scope="col"{kind}{chosen}>{words.mark(column.title)}</th>'


def _row(row: Sequence[Entry], columns: Sequence[Column], table: str, named: bool) -> str:
    """A row; its id is that of the CSV row where all its numbers are of the same one."""
    of_rows = {entry.row for entry in row if entry.row is not None}
    name = f' id="{escape(table)}-{min(of_rows)}"' if named and len(of_rows) == 1 else ""
    entries = "".join(
        _named(entry, table, named and not name, column.word) for entry, column in zip(row, columns)
    )
    return f"<tr{name}>{entries}</tr>"


def _named(entry: Entry, table: str, named: bool, word: bool) -> str:
    """A cell, with the id of its CSV row where the table's rows hold several."""
    text = cell(entry, table, word)
    if not named or entry.row is None:
        return text
    return text.replace("<td", f'<td id="{escape(table)}-{entry.row}"', 1)
