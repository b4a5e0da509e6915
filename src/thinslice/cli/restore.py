"""``thinslice restore``: restore a thick scan on thin slices, and report how far to trust it."""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

from thinslice.cli import restore_text
from thinslice.cli.arguments import count, gibibytes, millimetres
from thinslice.cli.scan_arguments import add_places, add_statements, read, warn
from thinslice.fs import transaction
from thinslice.interfaces import Run
from thinslice.restoration import checkpoints, restore
from thinslice.restoration.methods import DEFAULT
from thinslice.restoration.output import Output
from thinslice.restoration.restore import Plan, Result
from thinslice.restoration.statement import NOTICE
from thinslice.runtime import signals


def add_to(commands: argparse._SubParsersAction) -> None:
    """Register the subcommand."""
    parser = commands.add_parser(
        "restore",
        help="restore a thick scan on thin slices",
        description="Restore thin slices from a thick scan, over the same extent and pixels. "
        "OUT.thinslice.json and OUT.preview.png are written beside OUT.",
        epilog=NOTICE,
    )
    add_places(parser)
    add = parser.add_argument
    add("--method", metavar="NAME", help=f"see `thinslice methods`; default {DEFAULT}")
    add("--weights", type=Path, metavar="FILE", help="for a method fitted on other scans")
    add(
        "--refine",
        metavar="60s",
        help="first go on learning from this scan, for a time or a number of steps (500steps)",
    )
    add("--thickness", type=millimetres, default=1.0, metavar="MM", help="of thin slices (1.0)")
    add(
        "--increment",
        type=millimetres,
        default=1.0,
        metavar="MM",
        help="from one to the next (1.0)",
    )
    add(
        "--consistent",
        action=argparse.BooleanOptionalAction,
        help="bring the answer closer to the thick slices; default for methods that learn "
        "and with --as-acquired",
    )
    add(
        "--as-acquired",
        action="store_true",
        help="restore DICOM slices that are tilted, unevenly spaced or of mixed thickness, which "
        "are refused otherwise",
    )
    add_statements(parser)
    _about_the_run(parser)
    parser.set_defaults(run=run)


def _about_the_run(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("how it runs").add_argument
    add("--device", choices=["auto", "cpu", "cuda"], default="auto", help="default auto")
    add("--threads", type=count, metavar="N", help="CPU threads; default: as torch chooses")
    add(
        "--max-memory",
        type=gibibytes,
        metavar="6G",
        help="cap on memory; tiles are sized for it",
    )
    add("--dry-run", action="store_true", help="print what would be done; write nothing")
    add("--overwrite", action="store_true", help="replace an OUT that thinslice wrote before")
    add(
        "--strict", action="store_true", help="refuse scans unlike those the weights were fitted on"
    )


def run(arguments: argparse.Namespace) -> int:
    """0 if OUT is written (or would be), 2 after an error, 130 or 143 if stopped; never half."""
    out = Output.at(arguments.out, overwrite=arguments.overwrite)
    before = transaction.fingerprint(out.path)
    try:
        with signals.raise_on_stop():
            return _restore(arguments, out)
    except KeyboardInterrupt as stop:
        written = transaction.fingerprint(out.path) != before
        print(f"thinslice restore: {_stopped(out, written)}", file=sys.stderr, flush=True)
        return signals.status(stop)


def _restore(arguments: argparse.Namespace, out: Output) -> int:
    planned = _planned(arguments, out)
    run = Run(arguments.device, arguments.threads, arguments.max_memory)
    device = restore.device_of(planned, run)
    print("\n".join(restore_text.beforehand(arguments.scan, planned, device)), flush=True)
    warn(planned.warnings)
    if arguments.strict:
        restore.refuse_outside(planned)
    if arguments.dry_run:
        print("dry run: nothing was computed or written")
        return 0
    restored = _computed(out, planned, run)
    print("\n".join(restore_text.afterwards(arguments.out, restored)))
    warn(restored.warnings)
    return 0


def _planned(arguments: argparse.Namespace, out: Output) -> Plan:
    """Read the scan and plan its restoration; refuse, before any work, what cannot be done."""
    scan = read(arguments, out, as_acquired=arguments.as_acquired)
    planned = restore.plan(
        scan,
        method=arguments.method,
        weights=arguments.weights,
        thickness_mm=arguments.thickness,
        increment_mm=arguments.increment,
        consistent=arguments.consistent,
        refine=arguments.refine,
    )
    out.check_room(planned)
    return planned


def _computed(out: Output, planned: Plan, run: Run) -> Result:
    """Restore and write, under the lock of the checkpoints."""
    with out.checkpoints(planned) as work:
        folder = work.folder
        if work.resumes:
            print(f"resuming from the checkpoints in {folder.parent}", flush=True)
        elif work.others:
            warn([f"checkpoints in {folder.parent} are of another scan, method or version"])
        restored = restore.carry_out(planned, replace(run, work=folder))
        out.write(restored)
    return restored


def _stopped(out: Output, written: bool) -> str:
    """What a stopped command leaves, and how to resume."""
    if written:
        return f"stopped; {out.path} was already written, and is complete"
    work = checkpoints.folder_beside(out.path)
    resume = f"; run the same command again to resume from {work}" if work.exists() else ""
    return f"stopped; {out.path} was not written{resume}"
