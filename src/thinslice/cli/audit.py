"""``thinslice audit``: print and verify the chain behind a number, from table cell to raw scan."""

import argparse
import contextlib
import os
from pathlib import Path

from thinslice.audit import chain, places, recompute, why
from thinslice.errors import Refused
from thinslice.provenance.records import BrokenLinkError, link_to, read_record, record_path

TYPESET = (".md", ".tex")  # beside a table's CSV


def add_to(commands: argparse._SubParsersAction) -> None:
    """Register the subcommand."""
    parser = commands.add_parser("audit", help="verify the chain behind a number of a table")
    parser.add_argument("what", help="a file below results, or a record's id")
    parser.add_argument("--row", type=int, help="data row of a table, the first being 1")
    parser.add_argument("--results", type=Path, default=Path("results"), help="where records lie")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """0 if every link holds, 1 if one is broken, 2 if the question has no answer, 3 if every link
    that can be verified holds, but volumes were removed."""
    removed: list[str] = []
    what, path = arguments.what, Path(arguments.what)
    try:
        if os.sep in what or path.suffix or path.is_file():
            problems = _file(path, arguments.row, removed)
        else:
            problems = _record(what, arguments.results, removed)
    except BrokenLinkError as error:
        problems = [str(error)]
    for problem in problems:
        print(f"BROKEN  {problem}")
    if problems:
        print("the chain is broken; run the same snakemake command again: it remakes what changed")
        print(
            "and everything made from it; if it finds nothing to do, delete the record named above,"
        )
        print("then run it again")
        return 1
    if removed:
        print(
            f"every record holds, but {len(removed)} volume(s) were removed and cannot be "
            "verified; to make them and what was made from them again (with the same --configfile, "
            f"if there was one, at the end of both): snakemake --cores 1 {' '.join(removed)} "
            "&& snakemake --cores 1"
        )
        return 3
    print("every link holds")
    return 0


def _record(record_id: str, results: Path, removed: list[str]) -> list[str]:
    """The chain behind one record."""
    if not results.is_dir():
        raise Refused(f"no folder {results}: name the results folder with --results")
    folder, record = places.place_of(chain.find(record_id, results))
    with contextlib.chdir(folder):
        return _chain(record, chain.Walk(), removed)


def _file(path: Path, number: int | None, removed: list[str]) -> list[str]:
    """The chain behind a file; of a table its numbers too."""
    if path.suffix in TYPESET and path.with_suffix(".csv").exists():
        path = path.with_suffix(".csv")
    if not path.exists() and not record_path(path).exists():
        raise Refused(f"no file {path}")
    beside = record_path(path)
    record = beside if _is_table(path) or not path.exists() else why.record_of(path)
    rule = read_record(record)["rule"]
    if rule == "analyse" and path.suffix == ".csv":
        folder, table = places.place_of(path)
        with contextlib.chdir(folder):
            return _table(table, number, removed)
    if number is not None:
        raise Refused(
            f"{path} is no table of results/tables but what rule {rule} made: its rows are not "
            "computed from others; leave out --row"
        )
    folder, record = places.place_of(record)
    with contextlib.chdir(folder):
        return _chain(record, chain.Walk(), removed)


def _is_table(path: Path) -> bool:
    return path.suffix == ".csv" and path.parent.name == "tables"


def _table(table: Path, number: int | None, removed: list[str]) -> list[str]:
    """The chain of one row of a table, or of the whole table, and the numbers once more."""
    link_to(table)  # the table is what its record says, before anything is read from it
    if number is None:
        wanted = recompute.records_of(table)
    else:
        cells = recompute.row(table, number)
        wanted = cells.pop("records").split()
        print("; ".join(f"{name} {value}" for name, value in cells.items() if value))
    found: dict[str, Path] = {}
    walk = chain.Walk(frozenset(wanted))
    problems = _chain(record_path(table), walk, removed, found)
    if problems:
        return problems
    if lost := [identity for identity in wanted if identity not in found]:
        return [f"no record {identity} in the chain" for identity in lost]
    problems += recompute.unlike_their_source(table, {each: found[each] for each in wanted})
    problems += recompute.differences(table, number)
    if not problems:
        print(f"recomputed from the per-case scores of {len(wanted)} record(s): equal")
    return problems


def _chain(
    record: Path, walk: chain.Walk, removed: list[str], found: dict[str, Path] | None = None
) -> list[str]:
    """Print every link below a record; returns the problems, and fills in where records are and
    which volumes were removed."""
    problems: list[str] = []
    notes: dict[str, None] = {}
    for link in walk.links(record):
        print(f"{'  ' * link.depth}{link.rule} {link.record_id}")
        for path, sha256 in link.made:
            print(f"{'  ' * link.depth}  sha256 {sha256[:16]}  {path}")
        for problem in link.problems:
            print(f"{'  ' * link.depth}  BROKEN: {problem}")
        for path in link.removed:
            print(f"{'  ' * link.depth}  REMOVED: {path}")
        problems += link.problems
        removed += link.removed
        notes |= dict.fromkeys(link.notes)
        if found is not None:
            found[link.record_id] = link.record
    for note in notes:
        print(f"note    {note}")
    return problems
