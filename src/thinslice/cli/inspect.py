"""``thinslice inspect``: what scans lie here, and which of them would be refused, and why."""

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path

from thinslice.errors import Refused, in_one_line, one_line
from thinslice.io import files
from thinslice.io.inspect import ScanSummary, of_found, seen_in, stores_in, unread

COLUMNS = ("slices", "size", "pixel mm", "thickness", "increment", "slices meet", "kernel", "plane")


def add_to(commands: argparse._SubParsersAction) -> None:
    """Register the subcommand."""
    parser = commands.add_parser("inspect", help="list the scans in a folder and what ails them")
    parser.add_argument(
        "path", type=Path, help="a scan, a zip, or a folder with scans anywhere below it"
    )
    parser.add_argument("--json", action="store_true", help="print a JSON list, for programs")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """0 if every scan found can be read, 1 if one is refused, 2 if there is none to be seen."""
    try:
        with in_one_line(arguments.path):
            seen = list(_seen(arguments.path))
    except Refused as error:
        print(f"thinslice inspect: {error}", file=sys.stderr)
        return 2
    if not seen:
        print(one_line(f"thinslice inspect: {arguments.path}: no scan there"), file=sys.stderr)
        return 2
    if arguments.json:
        print(json.dumps([one._asdict() for one in seen], indent=1))
    else:
        for one in seen:
            print("\n".join(_lines(one)))
        other = sum(one.is_other for one in seen)
        bad = sum(one.refused is not None for one in seen) - other
        good = len(seen) - bad - other
        print(f"{good} can be read, {bad} refused" + (f", {other} no scans" if other else ""))
    return int(any(one.refused and not one.is_other for one in seen))


def _seen(path: Path) -> Iterator[ScanSummary]:
    yield from seen_in(path)
    for store in stores_in(path):
        try:
            yield of_found(store, files.read(store))
        except Refused as error:
            yield unread(store, "OME-Zarr", "", str(error))


def _lines(one: ScanSummary) -> Iterator[str]:
    """The scan's name and how to ask for it, then its numbers, then what ails it."""
    name = f"{one.path}  {one.format} {one.modality or ''} {one.series}".rstrip()
    yield one_line(f"{name}  [series {one.choose}]" if one.uid and one.choose else name)
    if one.increment_mm is not None:
        told = zip(COLUMNS, _cells(one), strict=True)
        yield "    " + "  ".join(f"{name} {value}" for name, value in told if value)
    for warning in one.warnings:
        yield one_line(f"    note     {warning}")
    if one.refused:
        why = one.refused.removeprefix(one_line(f"{one.path}: "))
        yield f"    {'no scan' if one.is_other else 'REFUSED'}  {why}"


def _cells(one: ScanSummary) -> tuple[str, ...]:
    size, pixel = one.size or (), one.pixel_mm or ()
    return (
        str(one.slices),
        "x".join(map(str, size)),
        "x".join(f"{mm:.4g}" for mm in pixel),
        "not said" if one.thickness_mm is None else f"{one.thickness_mm:.4g} mm",
        f"{one.increment_mm:.4g} mm",
        _meeting(one.overlap_mm),
        one.kernel or "",
        one.orientation or "",
    )


def _meeting(overlap_mm: float | None) -> str:
    if overlap_mm is None:
        return ""
    if abs(overlap_mm) < 0.01:
        return "edge to edge"
    return f"overlap {overlap_mm:.3g} mm" if overlap_mm > 0 else f"gap {-overlap_mm:.3g} mm"
