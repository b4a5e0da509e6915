"""``thinslice thicken``: make a thin scan thick by a known slice profile."""

import argparse
import sys
from functools import partial

from thinslice.cli import restore_text
from thinslice.cli.arguments import millimetres
from thinslice.cli.scan_arguments import add_places, add_statements, read, warn
from thinslice.fs import transaction
from thinslice.io.scan import LoadedScan
from thinslice.restoration import thicken, writing
from thinslice.restoration.output import STATEMENT, Output
from thinslice.runtime import signals
from thinslice.runtime.progress import in_words


def add_to(commands: argparse._SubParsersAction) -> None:
    """Register the subcommand."""
    parser = commands.add_parser(
        "thicken",
        help="make a thin scan thick, by a known slice profile",
        description="Make thick slices of a thin scan, as the workflow simulates them. "
        "OUT.thinslice.json is written beside OUT.",
        epilog=writing.NOTICE,
    )
    add_places(parser)
    add = parser.add_argument
    add("--thickness", type=millimetres, required=True, metavar="MM", help="of thick slices")
    add(
        "--increment", type=millimetres, metavar="MM",
        help="from one to the next; default: the thickness",
    )  # fmt: skip
    add("--profile", choices=thicken.PROFILES, default="box", help="of a slice; default box")
    add_statements(parser)
    how = parser.add_argument_group("how it runs").add_argument
    how("-q", "--quiet", action="store_true", help="print warnings and errors alone")
    how("--dry-run", action="store_true", help="print what would be done; write nothing")
    how("--overwrite", action="store_true", help="replace an OUT that thinslice wrote before")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """0 if OUT is written (or would be), 2 after an error, 130 or 143 if stopped; never half."""
    out = Output.at(arguments.out, overwrite=arguments.overwrite)
    before = transaction.fingerprint(out.path)
    try:
        with signals.raise_on_stop():
            return _thicken(arguments, out)
    except KeyboardInterrupt as stop:
        written = transaction.fingerprint(out.path) != before
        state = "was already written, and is complete" if written else "was not written"
        print(f"thinslice thicken: stopped; {out.path} {state}", file=sys.stderr, flush=True)
        return signals.status(stop)


def _thicken(arguments: argparse.Namespace, out: Output) -> int:
    scan = read(arguments, out)
    assert isinstance(scan, LoadedScan), "an irregular series is refused"
    planned = thicken.plan(
        scan,
        thickness_mm=arguments.thickness,
        increment_mm=arguments.increment,
        profile=arguments.profile,
    )
    out.refuse_full(planned.grid, planned.thin.modality)
    source = planned.scan.source if planned.scan else {}
    facts = [source.get("format"), planned.thin.modality, source.get("maker"), source.get("kernel")]
    say = (lambda line: None) if arguments.quiet else partial(print, flush=True)
    say(f"scan     {arguments.scan}  {' '.join(str(word) for word in facts if word)}")
    say(f"         {restore_text.described(planned.thin.grid)}")
    say(f"thick    {restore_text.described(planned.grid)}")
    name = planned.card["name"]
    say(f"profile  {name}: {writing.PROFILES[name]}")
    warn(planned.warnings)
    if arguments.dry_run:
        say("dry run: nothing was computed or written")
        return 0
    thickened = thicken.carry_out(planned)
    writing.write_thick(thickened, out)
    say(f"written  {arguments.out}  in {in_words(thickened.wall_s)}")
    say(f"         {out.path.name}{STATEMENT}")
    say(writing.NOTICE)
    return 0
