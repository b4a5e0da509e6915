"""Read a CSV that a spreadsheet saved: its encoding, its separator, and its blank columns and rows.

Only what is lossless is passed over: a byte order mark, blanks around cells, rows and columns
without a single character. Every other fault is refused by name. Standard library only.
"""

import csv
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path

from thinslice.errors import refused

SAVE = "save it as CSV UTF-8 (comma delimited)"
MARKS = {  # byte order marks, the longer ones first
    b"\xff\xfe\x00\x00": "UTF-32",
    b"\x00\x00\xfe\xff": "UTF-32",
    b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
}
SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars"}
Cells = dict[str, str]


def read_table(
    path: Path, needed: tuple[str, ...], optional: tuple[str, ...]
) -> list[tuple[int, Cells | None]]:
    """Line number and cells of every row, by column; None for a row of another length.

    Refused for another encoding or separator, and for a column that is missing, unknown or twice.
    """
    text = _text(path)
    try:
        reader = csv.reader(text.splitlines(keepends=True))
        head = [name.strip() for name in next(reader, [])]
        _check_separator(path, head)
        names = [name for name in head if name]
        _check_columns(path, names, needed, optional)
        return list(_rows(path, reader, head))
    except csv.Error as error:
        raise refused(
            path, f"no CSV ({error})", "rows of cells with commas between", SAVE
        ) from None


def _text(path: Path) -> str:
    content = path.read_bytes()
    for mark, name in MARKS.items():
        if content.startswith(mark):
            raise refused(path, name, "UTF-8", SAVE)
    if b"\0" in content:
        raise refused(path, "zero bytes, as in UTF-16 or a workbook", "UTF-8", SAVE)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        word = content[error.start : error.start + 1].decode("latin-1")
        found = f"text that is no UTF-8 (line {line}; as Latin-1 or a Windows code page: {word!r})"
        raise refused(path, found, "UTF-8", SAVE) from None


def _check_separator(path: Path, head: list[str]) -> None:
    if head and head[0].lower().startswith("sep="):
        raise refused(path, f"the line {head[0]!r} first", "the names of the columns", "delete it")
    for separator, name in SEPARATORS.items():
        if len(head) == 1 and separator in head[0]:
            raise refused(path, f"{name} between the columns", "commas", SAVE)


def _check_columns(
    path: Path, names: list[str], needed: tuple[str, ...], optional: tuple[str, ...]
) -> None:
    known = needed + optional
    missing = [name for name in needed if name not in names]
    wrong = [f"no column {name!r}" for name in missing]
    for name in names:
        if name not in known:
            near = get_close_matches(name.lower(), known, n=1)
            hint = f" (did you mean {near[0]!r}?)" if near else ""
            wrong.append(f"an unknown column {name!r}{hint}")
    wrong += [f"the column {n!r} twice" for n in sorted(set(names)) if names.count(n) > 1]
    if wrong:
        expected = f"{', '.join(needed)} and perhaps {', '.join(optional)}"
        raise refused(path, ", ".join(wrong), expected, "correct the first line")


def _rows(path: Path, reader, head: list[str]) -> Iterator[tuple[int, Cells | None]]:
    for raw in reader:
        cells = [cell.strip() for cell in raw]
        if not any(cells):
            continue
        while len(cells) > len(head) and not cells[-1]:
            cells.pop()
        if len(cells) != len(head):
            yield reader.line_num, None
            continue
        unnamed = [cell for name, cell in zip(head, cells) if cell and not name]
        if unnamed:
            where = f"{path}, line {reader.line_num}"
            found = f"{unnamed[0]!r} in a column without a name"
            raise refused(where, found, "a name above every value", "name the column or delete it")
        yield reader.line_num, {name: cell for name, cell in zip(head, cells) if name}
