"""What an audit is asked about: a record, of a table also a row and a column of it."""

from pathlib import Path
from typing import Any, NamedTuple

from thinslice.audit import lookup, recompute, upstream
from thinslice.audit.lookup import NoRecordError
from thinslice.errors import Refused
from thinslice.provenance.records import link_to, read_record
from thinslice.report.tables import wording

PLACE = ("dataset", "degradation")
NUMBERS = ("mean", "value", "median_gain", "difference")  # a row's main number: the first it has


class Question(NamedTuple):
    """A record whose chain is verified, in the folder that its paths count from.

    table    the CSV of an analysis' record, None for any other
    row      its data row, the first being 1; None: the whole table
    cell     a column of that row
    """

    record: Path
    table: Path | None = None
    row: int | None = None
    cell: str = ""


def of_record(record: Path, named: Path, row: int | None, cell: str) -> Question:
    """The question about a record, refused where it has no such row or column.

    named    what the user named, for the refusal
    """
    content = read_record(record)
    if cell and row is None:
        raise Refused("--cell names a column of a row: give --row too")
    if content["rule"] != "analyse":
        if row is not None:
            raise Refused(
                f"{named} is no table of results/tables but what rule {content['rule']} made: its "
                "rows are not computed from others; leave out --row"
            )
        return Question(record)
    table = Path(next(iter(_tables(content)), ""))
    link_to(table)  # the table is what its record says, before anything is read from it
    if row is not None:
        cells = recompute.row(table, row)
        if cell and cell not in cells:
            raise Refused(f"{table} has no column {cell!r}, only {', '.join(cells)}")
    return Question(record, table, row, cell)


def about(question: Question) -> tuple[str, str]:
    """What a question is about, in words, and the patients its number is over, "" if none."""
    if question.table is None or question.row is None:
        content = read_record(question.record)
        made = [output["path"] for output in content["outputs"].values()]
        what = ", ".join(made) or str(question.record)
        return f"{what}: made by rule {content['rule']}, record {content['id']}", ""
    cells = recompute.row(question.table, question.row)
    column = question.cell or next((name for name in NUMBERS if name in cells), "")
    number = f": {column} {cells[column] or 'empty'} {cells.get('unit', '')}" if column else ""
    where = f"row {question.row} of {question.table}, {row_words(cells)}"
    return f"{where}{number}".strip(), cells.get("n") or cells.get("n_paired", "")


def tables_behind(record: Path) -> list[Path]:
    """The tables that a record made or rests on; Refused if there are none."""
    behind = upstream.contents(record).values()
    tables = [Path(_tables(each)[0]) for each in behind if each["rule"] == "analyse"]
    if not tables:
        raise Refused(f"{record} rests on no table: leave it out to search all tables")
    return sorted(tables)


def row_words(cells: dict[str, str]) -> str:
    """Which row it is: method, weights, data, protocol and metric, as far as it has them."""
    words = [cells[key] for key in ("method", "case", "patient") if cells.get(key)]
    words += [f"fitted on {cells['fitted_on']}"] if cells.get("fitted_on") else []
    words += [f"against {cells['against']}"] if cells.get("against") else []
    place = "/".join(cells[key] for key in PLACE if cells.get(key)) or cells.get("tested_on", "")
    words += [f"on {place}"] if place else []
    words += [cells["protocol"]] if cells.get("protocol") else []
    words += [wording.metric_name(cells)] if cells.get("metric") else []
    words += [f"a stand-in: {cells['stand_in']}"] if cells.get("stand_in") else []
    return ", ".join(words) or "no name"


def find(what: str, results: Path) -> Path:
    """The record of what a user named: a record's id, or a file; Refused if there is none."""
    path = Path(what)
    if not what or ("/" not in what and not path.suffix and not path.exists()):
        if not results.is_dir():
            raise Refused(f"no folder {results}: name the results folder with --results")
        return lookup.by_id(what, results)
    try:
        return lookup.of_file(path, results)
    except NoRecordError:
        if not path.exists():
            raise Refused(
                f"no file {path}, and no record below {results} names it: correct the name, or "
                "name the results folder with --results"
            ) from None
        raise


def _tables(content: dict[str, Any]) -> list[str]:
    return [each["path"] for each in content["outputs"].values() if each["path"].endswith(".csv")]
