"""``thinslice inspect``: list the scans in a folder, and why some cannot be read."""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from thinslice.cli.arguments import add_choice
from thinslice.errors import Refused, in_one_line, one_line
from thinslice.io import files
from thinslice.io.inspect import ScanSummary, scans_in, selected, stores_in, summary_of, unread

COLUMNS = ("slices", "size", "pixel mm", "thickness", "increment", "slices meet", "kernel", "plane")


def add_to(commands: argparse._SubParsersAction) -> None:
    """Register the subcommand."""
    parser = commands.add_parser(
        "inspect",
        help="list the scans in a folder and their problems",
        description="List every scan at PATH or below it: its slices, how to choose it with "
        "--series, what to check, and why it would be refused.",
    )
    parser.add_argument(
        "path", type=Path, help="a scan, a zip, or a folder with scans anywhere below it"
    )
    add_choice(parser.add_argument)
    parser.add_argument("--json", action="store_true", help="print a JSON list, for programs")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """0 if every scan can be read, 1 if one is refused, 2 if there is no scan."""
    with in_one_line(arguments.path):
        every = list(_scans(arguments.path))
    scans = every
    if arguments.series or arguments.acquisition:
        scans = selected(every, arguments.series, arguments.acquisition)
    if not scans:
        what = f"none of {len(every)} scans is chosen" if every else "no scan there"
        print(one_line(f"thinslice inspect: {arguments.path}: {what}"), file=sys.stderr)
        return 2
    if arguments.json:
        print(json.dumps([scan._asdict() for scan in scans], indent=1))
    else:
        widths = _widths(scans)
        for scan in scans:
            print("\n".join(_lines(scan, widths)))
        other = sum(scan.is_other for scan in scans)
        bad = sum(scan.refused is not None for scan in scans) - other
        good = len(scans) - bad - other
        print(f"{good} readable, {bad} refused" + (f", {other} not scans" if other else ""))
    return int(any(scan.refused and not scan.is_other for scan in scans))


def _scans(path: Path) -> Iterator[ScanSummary]:
    yield from scans_in(path)
    for store in stores_in(path):
        try:
            yield summary_of(store, files.read(store))
        except Refused as error:
            yield unread(store, "OME-Zarr", "", str(error))


def _widths(scans: Sequence[ScanSummary]) -> list[int]:
    """Of each column, so that the rows line up."""
    rows = [_named(scan) for scan in scans if scan.increment_mm is not None]
    return [max(map(len, column)) for column in zip(*rows, strict=True)]


def _named(scan: ScanSummary) -> list[str]:
    """Each number with its name; empty where the scan has none."""
    pairs = zip(COLUMNS, _cells(scan), strict=True)
    return [f"{name} {value}" if value else "" for name, value in pairs]


def _lines(scan: ScanSummary, widths: Sequence[int]) -> Iterator[str]:
    """The scan's name and how to select it, then its numbers, then its problems."""
    name = f"{scan.path}  {scan.format} {scan.modality or ''} {scan.series}".rstrip()
    yield one_line(f"{name}  {_choice(scan)}" if scan.uid and scan.choose else name)
    if scan.increment_mm is not None:
        cells = zip(_named(scan), widths, strict=True)
        yield ("    " + "  ".join(cell.ljust(width) for cell, width in cells if width)).rstrip()
    for warning in scan.warnings:
        yield one_line(f"    note     {warning}")
    if scan.refused:
        why = scan.refused.removeprefix(one_line(f"{scan.path}: "))
        yield f"    {'no scan' if scan.is_other else 'REFUSED'}  {why}"


def _choice(scan: ScanSummary) -> str:
    """What selects the scan."""
    if scan.acquisition is None:
        return f"[series {scan.choose}]"
    return f"[series {scan.choose}, acquisition {scan.acquisition}: {scan.apart}]"


def _cells(scan: ScanSummary) -> tuple[str, ...]:
    size, pixel = scan.size or (), scan.pixel_mm or ()
    return (
        str(scan.slices),
        "x".join(map(str, size)),
        "x".join(f"{mm:.4g}" for mm in pixel),
        "not stated" if scan.thickness_mm is None else f"{scan.thickness_mm:.4g} mm",
        f"{scan.increment_mm:.4g} mm",
        _meeting(scan.overlap_mm),
        scan.kernel or "",
        scan.orientation or "",
    )


def _meeting(overlap_mm: float | None) -> str:
    if overlap_mm is None:
        return ""
    if abs(overlap_mm) < 0.01:
        return "edge to edge"
    return f"overlap {overlap_mm:.3g} mm" if overlap_mm > 0 else f"gap {-overlap_mm:.3g} mm"
