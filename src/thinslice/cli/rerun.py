"""``thinslice rerun``: make cells again from raw data, and compare."""

import argparse
import json
from pathlib import Path
from tempfile import TemporaryDirectory

from thinslice.audit import places, question
from thinslice.audit.rerun import cells
from thinslice.cli.arguments import seed
from thinslice.errors import Refused
from thinslice.provenance import reruns
from thinslice.provenance.records import BrokenLinkError
from thinslice.provenance.reruns import DIFFERS, Stamp

PAGE = "report.html"


def add_to(commands: argparse._SubParsersAction) -> None:
    """Register the subcommand."""
    parser = commands.add_parser(
        "rerun", help="make a cell again from raw data in a scratch folder, and compare"
    )
    add = parser.add_argument
    add("what", nargs="?", help="scores of a cell, a table, or a record's id (the report)")
    add("--row", type=int, help="data row of a table, the first being 1")
    add("--sample", type=int, metavar="N", help="draw N of the cells")
    add("--seed", type=seed, default=0, help="of the drawing (0)")
    add("--keep-weights", action="store_true", help="restore and score again, train nothing")
    add("--scratch", type=Path, metavar="DIR", help="make it there, and keep it (a temporary one)")
    add("--results", type=Path, default=Path("results"), help="where records lie (results)")
    add("--json", action="store_true", help="print the stamps as JSON, for programs")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """0 if every cell agrees, 1 if one differs or its results do not hold."""
    what = arguments.what or str(arguments.results / PAGE)
    scratch = None if arguments.scratch is None else _empty(arguments.scratch)
    try:
        with places.entered(question.find(what, arguments.results)) as inside:
            drawn = _cells(arguments, inside)
            with TemporaryDirectory() as temporary:
                stamps = _stamps(arguments, drawn, scratch or Path(temporary))
            reruns.add(stamps)
    except BrokenLinkError as error:
        print(f"BROKEN  {error}")
        return 1
    if arguments.json:
        print(json.dumps(stamps, indent=1))
    else:
        print("\n".join(f"made again: {reruns.words(stamp)}" for stamp in stamps))
        print(f"{len(stamps)} of {len(stamps)} stamps are in {reruns.FILE}")
    return 1 if any(stamp["agreement"] == DIFFERS for stamp in stamps) else 0


def _cells(arguments: argparse.Namespace, record: Path) -> list[Path]:
    """The score records of the cells to make again."""
    found = cells.of_record(record, arguments.row)
    if arguments.sample is not None:
        return cells.sample(found, arguments.sample, arguments.seed)
    if len(found) > 1:
        raise Refused(f"{record} rests on {len(found)} cells: add --sample N, or --row of a table")
    return found


def _stamps(arguments: argparse.Namespace, drawn: list[Path], scratch: Path) -> list[Stamp]:
    again = cells.Rerun(Path.cwd(), scratch, keep_weights=arguments.keep_weights)

    def show(line: str) -> None:
        if not arguments.json:
            print(line, flush=True)

    return [again.stamp(score, show) for score in drawn]


def _empty(folder: Path) -> Path:
    """A folder to work in; Refused where it holds something."""
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise Refused(f"{folder}: found files; expected an empty folder; name another")
    return folder.resolve()
