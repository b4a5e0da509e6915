"""A paper's table as a config holds it: every printed number with what it is in our terms.

What a number is (data set, thick slices, method, protocol, metric) is said once where it is shared:
by the table's ``about``, by its column or by its row; the nearer word holds. A column is a mapping
with a ``title``. A row is a list: its label, what it says (a method's name alone, null, or a
mapping), and the numbers as the paper prints them: 34.85, "34.85*" with the paper's mark of
significance, "38.609 ± 1.721" with its standard deviation, "1.73M", null where nothing is printed,
or a mapping {value: 0.9859, note: ...} where there is something to say of one number; it may also
say what this one is, where its row and its column do not hold for it ({value, note, protocol}).

A ``test`` of ``_marks`` and the method that it is ``against`` are the paper's marks, for ours, at
the paper's ``level`` (0.05 where it is not given).
A ``view`` fills ``{view}`` in names: ``metric: "ssim {view}"``.

Columns and rows are lists, since cards are JSON with sorted keys: the order of a mapping is lost.
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from thinslice.analyses._marks import TESTS

PLACE = ("dataset", "degradation", "method", "protocol", "metric")
SAYS = (*PLACE, "patients", "view", "why", "test", "against", "level")
NUMBER = re.compile(r"(-?[\d.]+(?:e-?\d+)?)([kM]?)(?: *± *([\d.]+))? *(\*?)")
SIZES = {"": 1.0, "k": 1e3, "M": 1e6}


class Printed(NamedTuple):
    """One number of a paper's table."""

    table: str
    title: str
    line: str  # the row's label, as printed
    column: str
    across: int  # the column's place, the first being 1
    says: dict[str, Any]  # keys of SAYS; None or absent: not among ours
    value: float
    sd: float = math.nan
    mark: str = ""  # the paper's own mark of significance
    note: str = ""


def cells(tables: Mapping[str, Any]) -> list[Printed]:
    """Every printed number, tables by name, each in its order; ValueError for what is no table."""
    return [cell for name in sorted(tables) for cell in _table(name, tables[name])]


def _table(name: str, table: Mapping[str, Any]) -> Iterator[Printed]:
    unknown = sorted(set(table) - {"title", "about", "columns", "rows"})
    if unknown or not {"title", "columns", "rows"} <= set(table):
        raise ValueError(
            f"published table {name!r} has the keys {sorted(table)}; "
            "expected title, columns and rows, and about where there is one"
        )
    columns = [_column(column, name) for column in table["columns"]]
    lines = [_split(row, name) for row in table["rows"]]
    for kind, labels in (("columns", [c for c, _ in columns]), ("rows", [r for r, *_ in lines])):
        if len(set(labels)) < len(labels):
            raise ValueError(f"published table {name!r} has {kind} of the same name: {labels}")
    for line, head, numbers in lines:
        where = f"published table {name!r}, row {line!r}"
        if len(numbers) != len(columns):
            raise ValueError(f"{where} has {len(numbers)} numbers for {len(columns)} columns")
        for k, ((column, shared), number) in enumerate(zip(columns, numbers), 1):
            if number is not None:
                place = f"{where}, column {column!r}"
                read, alone = _read(number, place)
                says = _merged([table.get("about"), shared, head, alone], place)
                yield Printed(name, str(table["title"]), line, column, k, says, **read)


def _column(column: Any, table: str) -> tuple[str, Mapping[str, Any]]:
    """A column's title, and what it says of its numbers."""
    if not isinstance(column, Mapping) or "title" not in column:
        raise ValueError(f"published table {table!r}: a column has a title, found {column!r}")
    return str(column["title"]), {key: value for key, value in column.items() if key != "title"}


def _split(row: Any, table: str) -> tuple[str, Mapping[str, Any], Sequence[Any]]:
    """A row's label, what it says of its numbers, and these."""
    if not isinstance(row, Sequence) or isinstance(row, str) or len(row) < 2:
        raise ValueError(
            f"published table {table!r}: a row is a list of its label, a method and numbers, "
            f"found {row!r}"
        )
    label, says, *numbers = row
    return str(label), says if isinstance(says, Mapping) else {"method": says}, numbers


def _merged(parts: Sequence[Mapping[str, Any] | None], where: str) -> dict[str, Any]:
    """Merge what table, column, row and cell state, the nearest last; fill {view} in names."""
    out = {key: value for part in parts for key, value in (part or {}).items()}
    if unknown := sorted(set(out) - set(SAYS)):
        raise ValueError(f"{where} says {unknown}; it can say {', '.join(SAYS)}")
    if (out.get("test") is not None) != (out.get("against") is not None):
        raise ValueError(f"{where}: a test and the method that it is against go together")
    if out.get("test") not in (None, *TESTS):
        raise ValueError(f"{where}: test {out['test']!r} is none of {', '.join(TESTS)}")
    view = {"view": out.get("view") or ""}
    return {k: v.format(**view) if isinstance(v, str) and k in PLACE else v for k, v in out.items()}


def _read(number: Any, where: str) -> tuple[dict[str, Any], Mapping[str, Any]]:
    """Value, sd, mark and note of a number as written, and what it alone says."""
    if not isinstance(number, Mapping):
        return _number(number, where), {}
    if not {"value", "note"} <= set(number):
        raise ValueError(f"{where}: a mapping holds value and note, found {sorted(number)}")
    alone = {key: value for key, value in number.items() if key not in ("value", "note")}
    return {**_number(number["value"], where), "note": str(number["note"])}, alone


def _number(number: Any, where: str) -> dict[str, Any]:
    """Value, sd and mark of a number as written."""
    if isinstance(number, int | float) and not isinstance(number, bool):
        return {"value": float(number)}
    match = NUMBER.fullmatch(str(number).strip())
    if not match:
        raise ValueError(f"{where}: {number!r} is no number as papers print them")
    value, size, sd, mark = match.groups()
    sds = float(sd) if sd else math.nan
    return {"value": float(value) * SIZES[size], "sd": sds, "mark": mark}
