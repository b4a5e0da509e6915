"""The scan that a command reads and the place it writes to: their arguments, and their checks."""

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from thinslice.cli.arguments import add_choice, millimetres
from thinslice.errors import refused

if TYPE_CHECKING:  # they import the libraries of formats: only where a scan is read
    from thinslice.io.acquired import AcquiredScan
    from thinslice.io.scan import LoadedScan
    from thinslice.restoration.output import Output

IN = "DICOM folder, .nii, .nii.gz, .nrrd, .mha, .zip, .zarr"
OUT = ".nii, .nii.gz, .zarr; else a folder for DICOM"


def add_places(parser: argparse.ArgumentParser) -> None:
    """Add IN and OUT."""
    parser.add_argument("scan", type=Path, metavar="IN", help=IN)
    parser.add_argument("out", type=Path, metavar="OUT", help=OUT)


def add_statements(parser: argparse.ArgumentParser) -> None:
    """Add what IN does not state."""
    add = parser.add_argument_group("what IN does not state").add_argument
    add_choice(add)
    add(
        "--declared-thickness", type=millimetres, metavar="MM",
        help="of IN's slices; for images other than DICOM",
    )  # fmt: skip
    add("--modality", choices=["CT", "MR"], help="of an image other than DICOM; default CT")
    add(
        "--unit-window", type=float, nargs=2, metavar=("LOW", "HIGH"),
        help="HU that 0 and 1 stand for, in an image of values in [0, 1]",
    )  # fmt: skip


def read(
    arguments: argparse.Namespace, out: "Output", *, as_acquired: bool = False
) -> "LoadedScan | AcquiredScan":
    """Read IN; refuse, before any work, an OUT that could not be written.

    as_acquired   an irregular series is read as an ``AcquiredScan``, else refused
    """
    from thinslice.io import files

    if arguments.scan.is_dir():
        out.check_outside(arguments.scan)
    if not arguments.dry_run and out.finish_interrupted():
        warn([f"{arguments.out} was almost in place when an earlier run was killed; it is now"])
    out.check()
    _refuse_missing_folder(out.path.parent)
    scan = files.read(
        arguments.scan,
        series=arguments.series,
        acquisition=arguments.acquisition,
        thickness_mm=arguments.declared_thickness,
        unit_window=arguments.unit_window and tuple(arguments.unit_window),
        modality=arguments.modality,
        as_acquired=as_acquired,
    )
    out.check(scan)
    return scan


def _refuse_missing_folder(folder: Path) -> None:
    """Refuse an OUT in a folder that is not there: most often its name was mistyped."""
    if not folder.is_dir():
        raise refused(folder, "no such folder", "one for OUT", f"correct it, or mkdir -p {folder}")


def warn(warnings: Iterable[str]) -> None:
    """Print each warning as a line of standard error."""
    for warning in warnings:
        print(f"warning: {warning}", file=sys.stderr, flush=True)
