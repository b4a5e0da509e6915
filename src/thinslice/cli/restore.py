"""``thinslice restore``: a thick scan in, a thin one out, with a report of how far to trust it."""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

from thinslice.cli import restore_text, stop_signals
from thinslice.cli.arguments import count, gibibytes, millimetres
from thinslice.fs import transaction
from thinslice.interfaces import Run
from thinslice.io import files
from thinslice.restoration import checkpoints, disk_space, output, restore
from thinslice.restoration.methods import DEFAULT
from thinslice.restoration.restore import Plan, Result
from thinslice.restoration.statement import NOTICE

FORESEEN = (OSError, ValueError, MemoryError, LookupError, ArithmeticError, RuntimeError)


def add_to(commands: argparse._SubParsersAction) -> None:
    """Register the subcommand."""
    parser = commands.add_parser(
        "restore",
        help="a thick scan in, a thin one out, and how far to trust it",
        description="Restore thin slices from a thick scan, over the same extent and pixels. "
        "OUT.thinslice.json and OUT.preview.png are written beside OUT.",
        epilog=NOTICE,
    )
    add = parser.add_argument
    add("scan", type=Path, metavar="IN", help="DICOM folder, .nii, .nii.gz, .zip, .zarr")
    add("out", type=Path, metavar="OUT", help=".nii, .nii.gz, .zarr; else a folder for DICOM")
    add("--method", metavar="NAME", help=f"see `thinslice methods`; default {DEFAULT}")
    add("--weights", type=Path, metavar="FILE", help="of a method fitted on other scans")
    add("--thickness", type=millimetres, default=1.0, metavar="MM", help="of thin slices (1.0)")
    add(
        "--increment",
        type=millimetres,
        default=1.0,
        metavar="MM",
        help="from one to the next (1.0)",
    )
    _about_the_scan(parser)
    _about_the_run(parser)
    parser.set_defaults(run=run)


def _about_the_scan(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("what IN does not say").add_argument
    add("--series", metavar="WHICH", help="where IN holds several: as `thinslice inspect` says")
    add("--declared-thickness", type=millimetres, metavar="MM", help="of IN's slices; for NIfTI")
    add("--modality", choices=["CT", "MR"], help="of a NIfTI; default CT")
    add(
        "--unit-window", type=float, nargs=2, metavar=("LOW", "HIGH"),
        help="HU that 0 and 1 stand for, in a NIfTI of values in [0, 1]",
    )  # fmt: skip


def _about_the_run(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("how it runs").add_argument
    add("--device", choices=["auto", "cpu", "cuda"], default="auto", help="default auto")
    add("--threads", type=count, metavar="N", help="CPU threads; default: as torch chooses")
    add("--max-memory", type=gibibytes, metavar="6G", help="tiles are made to stay below it")
    add("--dry-run", action="store_true", help="say what would be done; write nothing")
    add("--overwrite", action="store_true", help="replace an OUT that was written before")
    add(
        "--strict", action="store_true", help="refuse scans unlike those the weights were fitted on"
    )


def run(arguments: argparse.Namespace) -> int:
    """0 if OUT stands (or would), 2 if refused or failed, 130 or 143 if stopped; never half."""
    before = transaction.standing(arguments.out)
    try:
        with stop_signals.answered():
            return _restore(arguments)
    except KeyboardInterrupt as stop:
        _complain(_stopped(arguments.out, before))
        return stop_signals.status(stop)
    except FORESEEN as error:
        _complain(" ".join(str(error).split()) or type(error).__name__)
        return 2


def _restore(asked: argparse.Namespace) -> int:
    if asked.scan.is_dir():
        output.refuse_inside(asked.out.absolute(), asked.scan)
    if not asked.dry_run and transaction.go_on(asked.out):
        _warn([f"a run before was killed while putting {asked.out} into its place; it stands now"])
    output.refuse_place(asked.out, overwrite=asked.overwrite)
    scan = files.read(
        asked.scan,
        series=asked.series,
        thickness_mm=asked.declared_thickness,
        unit_window=asked.unit_window and tuple(asked.unit_window),
        modality=asked.modality,
    )
    output.refuse_place(asked.out, scan, overwrite=asked.overwrite)
    planned = restore.plan(
        scan,
        method=asked.method,
        weights=asked.weights,
        thickness_mm=asked.thickness,
        increment_mm=asked.increment,
    )
    disk_space.refuse_full(asked.out, planned.grid, planned.thick.modality)
    how = Run(asked.device, asked.threads, asked.max_memory)
    device = restore.device_of(planned, how)
    print("\n".join(restore_text.beforehand(asked.scan, planned, device)), flush=True)
    _warn(planned.warnings)
    if asked.strict:
        restore.refuse_outside(planned)
    if asked.dry_run:
        print("dry run: nothing was computed or written")
        return 0
    restored = _computed(asked, planned, how)
    print("\n".join(restore_text.afterwards(asked.out, restored)))
    _warn(restored.warnings)
    return 0


def _stopped(out: Path, before: object) -> str:
    """What a stop left."""
    if transaction.standing(out) != before:
        return f"stopped; {out} had been written by then, and is whole"
    kept = checkpoints.place(out)
    goes_on = f"; the same command goes on from {kept}" if kept.exists() else ""
    return f"stopped; {out} was not written{goes_on}"


def _computed(asked: argparse.Namespace, planned: Plan, how: Run) -> Result:
    """Restored and handed over, under the lock of the folder that keeps checkpoints."""
    with checkpoints.held(asked.out, planned) as work:
        if work.goes_on:
            print(f"going on from the checkpoints in {work.folder.parent}", flush=True)
        elif work.others:
            _warn([f"checkpoints in {work.folder.parent} are of another scan, method or version"])
        restored = restore.carry_out(planned, replace(how, work=work.folder))
        output.write(restored, asked.out, overwrite=asked.overwrite)
    return restored


def _warn(warnings: list[str]) -> None:
    for words in warnings:
        print(f"warning: {words}", file=sys.stderr, flush=True)


def _complain(words: str) -> None:
    print(f"thinslice restore: {words}", file=sys.stderr, flush=True)
