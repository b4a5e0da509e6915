"""``thinslice audit``: print and verify the chain behind a number, a file, a scan or weights."""

import argparse
import json
from collections.abc import Callable
from pathlib import Path

from thinslice.audit import (
    loose_weights,
    places,
    printed,
    question,
    statements,
    summary,
    upstream,
    verify,
)
from thinslice.audit.capsule import contents as capsules
from thinslice.audit.chain import Link
from thinslice.audit.summary import Summary
from thinslice.audit.verify import Verdict
from thinslice.cli import audit_text
from thinslice.errors import Refused
from thinslice.provenance.records import BrokenLinkError, OtherFormatError

EPILOG = (
    "Exit status: 0 every link holds; 1 one is broken, and named; 2 the question has no answer; "
    "3 what is here holds, but something is not here to be checked."
)


def add_to(commands: argparse._SubParsersAction) -> None:
    """Register the subcommand."""
    parser = commands.add_parser(
        "audit", help="verify the chain behind a number, a file, a scan or weights", epilog=EPILOG
    )
    add = parser.add_argument
    add(
        "what",
        nargs="?",
        help="a table, figure, report or other file of results, a record's id, a restored scan, "
        "weights, or a capsule",
    )
    add("--row", type=int, help="data row of a table, the first being 1")
    add("--cell", default="", metavar="COLUMN", help="a column of that row")
    add("--find", metavar="NUMBER", help="list the cells that print a number, e.g. 59.3")
    add("--results", type=Path, default=Path("results"), help="where records lie (results)")
    add("--verbose", action="store_true", help="print command, settings and cost of each link")
    add("--json", action="store_true", help="print a JSON object, for programs")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """0 if every link holds, 1 if one is broken, 2 if the question has no answer, 3 if what is
    here holds, but something is not here to be checked."""
    try:
        if arguments.find is not None:
            return _find(arguments)
        if arguments.what is None:
            raise Refused("name a file of results, a record's id, a scan or weights, or --find")
        return _answer(arguments)
    except OtherFormatError as error:
        raise Refused(str(error)) from None
    except BrokenLinkError as error:
        return _conclude(arguments, None, Verdict(problems=[str(error)]))


def _answer(arguments: argparse.Namespace) -> int:
    named = Path(arguments.what)
    if statement := statements.statement_of(named):
        return _statement(arguments, statement)
    if capsules.are(named):
        return _capsule(arguments, named)
    try:
        record = question.find(arguments.what, arguments.results)
    except question.NoRecordError:
        if not loose_weights.are(named):
            raise
        return _weights(arguments, named)
    with places.entered(record) as inside:
        subject = question.of_record(inside, named, arguments.row, arguments.cell)
        what, n = question.about(subject)
        behind = upstream.contents(inside, verify.scores_of(subject)).values()
        about = summary.of_records(what, behind, n)
        show = _begin(arguments, about)
        if subject.table and subject.row is not None and not arguments.json:
            print(audit_text.row(subject.table, subject.row))
        return _conclude(arguments, about, verify.verify(subject, show))


def _statement(arguments: argparse.Namespace, statement: Path) -> int:
    _no_row(arguments, statement)
    from thinslice.restoration import methods

    content = statements.read(statement)
    about = statements.summary(statement, content)
    show = _begin(arguments, about)
    verdict = statements.verify(statement, content, arguments.results, [methods.PACKAGED])
    for link in verdict.links:
        show(link)
    return _conclude(arguments, about, verdict)


def _capsule(arguments: argparse.Namespace, path: Path) -> int:
    _no_row(arguments, path)
    about, verdict = capsules.verified(path)
    _begin(arguments, about)
    if arguments.json:
        return _conclude(arguments, about, verdict)
    print("\n".join(f"BROKEN  {problem}" for problem in verdict.problems) or "all of it holds")
    return verdict.status


def _weights(arguments: argparse.Namespace, path: Path) -> int:
    _no_row(arguments, path)
    about = loose_weights.summary(path, loose_weights.read(path))
    show = _begin(arguments, about)
    verdict = loose_weights.verify(path)
    for link in verdict.links:
        show(link)
    return _conclude(arguments, about, verdict)


def _no_row(arguments: argparse.Namespace, path: Path) -> None:
    if arguments.row is not None or arguments.cell:
        raise Refused(f"{path} is no table: leave out --row and --cell")


def _find(arguments: argparse.Namespace) -> int:
    """List the cells that print a number; 2 if none does."""
    if arguments.what is None:
        return _list(arguments, printed.find(arguments.find, printed.tables(arguments.results)))
    record = question.find(arguments.what, arguments.results)
    with places.entered(record) as inside:
        return _list(arguments, printed.find(arguments.find, question.tables_behind(inside)))


def _list(arguments: argparse.Namespace, cells: list[printed.Printed]) -> int:
    if not cells:
        raise Refused(f"no cell of these tables prints {arguments.find}")
    if arguments.json:
        plain = [{**cell._asdict(), "table": str(cell.table)} for cell in cells]
        print(json.dumps(plain, indent=1))
    else:
        print("\n".join(cell.line() for cell in cells))
        print(f"{len(cells)} cell(s) print {arguments.find}; thinslice audit takes a line's start")
    return 0


def _begin(arguments: argparse.Namespace, about: Summary) -> Callable[[Link], None]:
    """Print the lines for a person; returns how a link is printed."""
    if arguments.json:
        return lambda link: None
    print("\n".join(about.lines()), flush=True)

    def show(link: Link) -> None:
        print("\n".join(audit_text.link(link, verbose=arguments.verbose)), flush=True)

    return show


def _conclude(arguments: argparse.Namespace, about: Summary | None, verdict: Verdict) -> int:
    if arguments.json:
        print(json.dumps(audit_text.as_json(about, verdict), indent=1))
    else:
        print("\n".join(audit_text.conclusion(verdict)))
    return verdict.status
