"""``thinslice methods``: list the methods, and what each of them needs."""

import argparse
import json
import sys
from collections.abc import Sequence

from thinslice.restoration import catalogue
from thinslice.restoration.catalogue import Entry

FITS = {"none": "nothing", "volume": "the scan itself", "population": "others: --weights"}
PACKAGED = "others; weights included"
HEADS = ("name", "learns from", "fidelity", "grids", "parameters", "takes", "paper")


def add_to(commands: argparse._SubParsersAction) -> None:
    """Register the subcommand."""
    parser = commands.add_parser(
        "methods",
        help="list the methods a scan can be restored by",
        description="List the methods for `thinslice restore --method NAME`, and what each needs.",
    )
    parser.add_argument("--json", action="store_true", help="print a JSON list, for programs")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """0 always."""
    entries = list(catalogue.entries())
    if arguments.json:
        print(json.dumps([entry._asdict() for entry in entries], indent=1))
        return 0
    _table([HEADS, *(_row(entry) for entry in entries)])
    print()
    for fit, licence in catalogue.LICENCES.items():
        print(f"learns from {FITS[fit].split(':')[0]}: {licence}")
    print("* is used where neither --method nor --weights is given")
    return 0


def _row(entry: Entry) -> tuple[str, ...]:
    name = f"{entry.name} *" if entry.default else entry.name
    counted = f"{entry.parameters:,}" if entry.parameters else "-"
    learned = PACKAGED if entry.packaged else FITS[entry.fit]
    return name, learned, entry.fidelity, entry.grids, counted, _taken(entry), entry.paper


def _taken(entry: Entry) -> str:
    """What a method needs beside a scan, and options that not every method takes."""
    taken = {
        "a second contrast": entry.second,
        "--precision": entry.precision,
        "--engine": entry.engine,
    }
    return ", ".join(word for word, is_so in taken.items() if is_so) or "-"


def _table(rows: Sequence[Sequence[str]]) -> None:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [
            cell.rjust(width) if head == "parameters" else cell.ljust(width)
            for cell, width, head in zip(row, widths, HEADS, strict=True)
        ]
        sys.stdout.write("  ".join(cells).rstrip() + "\n")
