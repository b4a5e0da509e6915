"""``thinslice restore``: restore a thick scan on thin slices, and report how far to trust it."""

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING

from thinslice.cli.arguments import add_loudness, count, gibibytes, millimetres
from thinslice.cli.scan_arguments import add_places, add_statements, read, warn
from thinslice.fs import transaction
from thinslice.interfaces import Run
from thinslice.restoration.methods import DEFAULT
from thinslice.restoration.notices import RESTORED as NOTICE
from thinslice.runtime import signals
from thinslice.runtime.cores import Watch

if TYPE_CHECKING:  # they import torch and matplotlib: only where a scan is restored
    from thinslice.restoration.output import Output
    from thinslice.restoration.restore import Plan, Result

EXAMPLES = """examples:
  thinslice restore CT_5mm CT_1mm.nii.gz --dry-run    what would be done
  thinslice restore CT_5mm CT_1mm                     a DICOM series
  thinslice restore CT_5mm CT_1mm.nii.gz --refine 60s
  thinslice restore STUDY CT_1mm.nii.gz --series thickest"""


def add_to(commands: argparse._SubParsersAction) -> None:
    """Register the subcommand."""
    parser = commands.add_parser(
        "restore",
        help="restore a thick scan on thin slices",
        description="Restore thin slices from a thick scan, over the same extent and pixels.\n"
        "OUT.thinslice.json and OUT.preview.png are written beside OUT.",
        epilog=f"{EXAMPLES}\n\n{fill(NOTICE, 79)}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_places(parser)
    add = parser.add_argument
    add("--method", metavar="NAME", help=f"see `thinslice methods`; default {DEFAULT}")
    add("--weights", type=Path, metavar="FILE", help="trained weights; they bring their method")
    add(
        "--refine",
        metavar="60s",
        help="first go on learning from this scan, for a time (60s, 2min, 1h) or 500steps",
    )
    add(
        "--thickness", type=millimetres, default=1.0, metavar="MM", help="of thin slices; default 1"
    )
    add(
        "--increment",
        type=millimetres,
        default=1.0,
        metavar="MM",
        help="from one thin slice to the next; default 1",
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
    _about_the_network(parser)
    _about_the_run(parser)
    parser.set_defaults(run=run)


def _about_the_network(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add(
        "--precision",
        choices=["fp32", "tf32", "bf16"],
        help="in which a network restores; bf16 is faster, and how far it differs is stated; "
        "default: the method's own",
    )
    add(
        "--engine",
        choices=["torch", "openvino"],
        help="that runs the network; openvino is faster for TVSRN on a CPU; default torch",
    )


def _about_the_run(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("how it runs").add_argument
    add("--device", choices=["auto", "cpu", "cuda"], default="auto", help="default auto")
    add("--threads", type=count, metavar="N", help="CPU threads; default: one for each idle core")
    add(
        "--max-memory",
        type=gibibytes,
        metavar="6G",
        help="cap on memory (6G, 500M); a network's tiles are sized for it",
    )
    add("--json", action="store_true", help="print the report (OUT.thinslice.json), for programs")
    add_loudness(add)
    add("--dry-run", action="store_true", help="print what would be done; write nothing")
    add("--overwrite", action="store_true", help="replace an OUT that thinslice wrote before")
    add(
        "--strict",
        action="store_true",
        help="refuse, instead of warn of, a scan unlike those the weights were fitted on; checks "
        "nothing else",
    )


def run(arguments: argparse.Namespace) -> int:
    """0 if OUT is written (or would be), 2 after an error, 130 or 143 if stopped; never half."""
    from thinslice.restoration.output import Output

    out = Output.at(arguments.out, overwrite=arguments.overwrite)
    before = transaction.fingerprint(out.path)
    try:
        with signals.raise_on_stop():
            return _restore(arguments, out)
    except KeyboardInterrupt as stop:
        written = transaction.fingerprint(out.path) != before
        print(f"thinslice restore: {_stopped(out, written)}", file=sys.stderr, flush=True)
        return signals.status(stop)


def _restore(arguments: argparse.Namespace, out: "Output") -> int:
    from thinslice.restoration import restore
    from thinslice.restoration.precision import precision_of, refuse_engine

    watch = Watch.start()
    planned = _planned(arguments, out)
    run = Run(
        arguments.device, arguments.threads, arguments.max_memory, progress=not arguments.quiet
    )
    run = replace(run, threads=restore.threads_of(planned, run, watch.free_cores()))
    device = restore.device_of(planned, run)
    _show_before(arguments, planned, replace(run, device=device))
    if arguments.strict:
        restore.refuse_outside(planned)
    restore.refuse_small_cap(planned, run, device)
    precision_of(planned.chosen.method, planned.precision, run)
    refuse_engine(planned.chosen.method, run)
    if arguments.dry_run:
        _show_dry(arguments, planned)
        return 0
    _show_after(arguments, out, _computed(arguments, out, planned, run))
    return 0


def _planned(arguments: argparse.Namespace, out: "Output") -> "Plan":
    """Read the scan and plan its restoration; refuse, before any work, what cannot be done."""
    from thinslice.restoration import restore

    scan = read(arguments, out, as_acquired=arguments.as_acquired)
    planned = restore.plan(
        scan,
        method=arguments.method,
        weights=arguments.weights,
        thickness_mm=arguments.thickness,
        increment_mm=arguments.increment,
        consistent=arguments.consistent,
        refine=arguments.refine,
        precision=arguments.precision,
        engine=arguments.engine,
    )
    out.check_room(planned)
    return planned


def _show_before(arguments: argparse.Namespace, planned: "Plan", run: Run) -> None:
    from thinslice.cli import restore_text

    if not _silent(arguments):
        print("\n".join(restore_text.beforehand(arguments.scan, planned, run)), flush=True)
        if arguments.verbose:
            print("\n".join(restore_text.details(planned, run)), flush=True)
    warn(planned.warnings)


def _show_dry(arguments: argparse.Namespace, planned: "Plan") -> None:
    from thinslice.restoration import statement

    if arguments.json:
        print(json.dumps(statement.of_plan(planned), indent=1))
    elif not arguments.quiet:
        print("dry run: nothing was computed or written")


def _show_after(arguments: argparse.Namespace, out: "Output", restored: "Result") -> None:
    """What was written, and how far to trust it; warnings that were not printed before."""
    from thinslice.cli import restore_text
    from thinslice.restoration.output import STATEMENT

    printed = set(restored.planned.warnings)
    if arguments.json:
        print(out.path.with_name(out.path.name + STATEMENT).read_text(encoding="utf-8"), end="")
    elif not arguments.quiet:
        print("\n".join(restore_text.afterwards(arguments.out, restored)))
        printed.add(restored.trust.verdict.sentence)
    warn(words for words in restored.warnings if words not in printed)


def _silent(arguments: argparse.Namespace) -> bool:
    """Whether standard output is kept free of facts for people."""
    return arguments.quiet or arguments.json


def _computed(arguments: argparse.Namespace, out: "Output", planned: "Plan", run: Run) -> "Result":
    """Restore and write, under the lock of the checkpoints."""
    from thinslice.restoration import restore

    with out.checkpoints(planned) as work:
        folder = work.folder
        if work.resumes and not _silent(arguments):
            print(f"resuming from the checkpoints in {folder.parent}", flush=True)
        elif work.others:
            warn([f"checkpoints in {folder.parent} are of another scan, method or version"])
        restored = restore.carry_out(planned, replace(run, work=folder))
        out.write(restored)
    return restored


def _stopped(out: "Output", written: bool) -> str:
    """What a stopped command leaves, and how to resume."""
    from thinslice.restoration import checkpoints

    if written:
        return f"stopped; {out.path} was already written, and is complete"
    work = checkpoints.folder_beside(out.path)
    resume = f"; run the same command again to resume from {work}" if work.exists() else ""
    return f"stopped; {out.path} was not written{resume}"
