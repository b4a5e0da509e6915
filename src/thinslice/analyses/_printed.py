"""A paper's table as a config holds it: every printed number with what it is in our terms.

What a number is (data set, thick slices, method, protocol, metric) is said once where it is shared:
by the table's ``about``, by its column or by its row; the nearer word holds. A row is a list that
begins with what the row says (a method's name alone, null, or a mapping) and goes on with the
numbers as the paper prints them: 34.85, "34.85*" with the paper's mark of significance,
"38.609 ± 1.721" with its standard deviation, "1.73M", null where nothing is printed, or a mapping
{value: 0.9859, note: ...} where there is something to say of one number.
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

PLACE = ("dataset", "degradation", "method", "protocol", "metric")
SAYS = (*PLACE, "patients", "view", "why")
NUMBER = re.compile(r"(-?[\d.]+(?:e-?\d+)?)([kM]?)(?: *± *([\d.]+))? *(\*?)")
SIZES = {"": 1.0, "k": 1e3, "M": 1e6}


class Printed(NamedTuple):
    """One number of a paper's table."""

    table: str
    title: str
    line: str  # the row's label, as printed
    column: str
    says: dict[str, Any]  # keys of SAYS; None or absent: not among ours
    value: float
    sd: float = math.nan
    mark: str = ""  # the paper's own mark of significance
    note: str = ""


def cells(tables: Mapping[str, Any]) -> list[Printed]:
    """Every printed number of the tables, in their order; ValueError for what is no such table."""
    return [cell for name, table in tables.items() for cell in _table(name, table)]


def _table(name: str, table: Mapping[str, Any]) -> Iterator[Printed]:
    unknown = sorted(set(table) - {"title", "about", "columns", "rows"})
    if unknown or not {"title", "columns", "rows"} <= set(table):
        raise ValueError(
            f"published table {name!r} has the keys {sorted(table)}; "
            "expected title, columns and rows, and about where there is one"
        )
    columns = table["columns"]
    for line, row in table["rows"].items():
        where = f"published table {name!r}, row {line!r}"
        head, numbers = _split(row, where)
        if len(numbers) != len(columns):
            raise ValueError(f"{where} has {len(numbers)} numbers for {len(columns)} columns")
        for (column, shared), number in zip(columns.items(), numbers):
            if number is not None:
                says = _merged([table.get("about"), shared, head], where)
                read = _read(number, f"{where}, column {column!r}")
                yield Printed(name, str(table["title"]), str(line), str(column), says, **read)


def _split(row: Any, where: str) -> tuple[Mapping[str, Any], Sequence[Any]]:
    """What a row says of itself, and its numbers."""
    if not isinstance(row, Sequence) or isinstance(row, str) or not row:
        raise ValueError(f"{where} is no list of a method and numbers: {row!r}")
    first, *numbers = row
    return first if isinstance(first, Mapping) else {"method": first}, numbers


def _merged(said: Sequence[Mapping[str, Any] | None], where: str) -> dict[str, Any]:
    """The nearer word over the farther; {view} in a name is filled in."""
    out = {key: value for one in said for key, value in (one or {}).items()}
    if unknown := sorted(set(out) - set(SAYS)):
        raise ValueError(f"{where} says {unknown}; it can say {', '.join(SAYS)}")
    view = {"view": out.get("view") or ""}
    return {k: v.format(**view) if isinstance(v, str) and k in PLACE else v for k, v in out.items()}


def _read(number: Any, where: str) -> dict[str, Any]:
    """Value, sd, mark and note of a number as written."""
    if isinstance(number, Mapping):
        if set(number) != {"value", "note"}:
            raise ValueError(f"{where}: a mapping holds value and note, found {sorted(number)}")
        return {**_read(number["value"], where), "note": str(number["note"])}
    if isinstance(number, int | float) and not isinstance(number, bool):
        return {"value": float(number)}
    found = NUMBER.fullmatch(str(number).strip())
    if not found:
        raise ValueError(f"{where}: {number!r} is no number as papers print them")
    value, size, sd, mark = found.groups()
    sds = float(sd) if sd else math.nan
    return {"value": float(value) * SIZES[size], "sd": sds, "mark": mark}
