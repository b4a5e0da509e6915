"""``thinslice pairs``: find thick and thin series of one acquisition, and certify each pair."""

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from thinslice.cli import pairs_text
from thinslice.errors import in_one_line, one_line, refused

if TYPE_CHECKING:  # it imports the libraries of formats: only where pairs are looked for
    from thinslice.pairs.listing import Row

ACCEPTABLE = ("kernel", "gap", "noise", "acquisition_number", "table_range_partly")


def add_to(commands: argparse._SubParsersAction) -> None:
    """Register the subcommand."""
    parser = commands.add_parser(
        "pairs",
        help="find and certify thick and thin series of one acquisition",
        description="Find the pairs of a thick and a thin DICOM series in FOLDER, and tell of each "
        "whether one acquisition made both and only their slices differ: by headers and images.",
    )
    add = parser.add_argument
    add("folder", type=Path, metavar="FOLDER", help="with DICOM files anywhere below it; or a zip")
    add("--json", action="store_true", help="print a JSON object, for programs")
    add("--manifest", type=Path, metavar="FILE.csv", help="write the certified pairs for own_data")
    add(
        "--accept", action="append", choices=ACCEPTABLE, default=[], metavar="REASON",
        help="put pairs into the manifest too that it alone flags; given several times, that these "
        f"alone flag: {', '.join(ACCEPTABLE)}",
    )  # fmt: skip
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """0 if a pair is certified, 1 if none of the pairs is, 2 if there is no pair."""
    from thinslice.pairs import manifest
    from thinslice.pairs.listing import listing

    _refuse_unclear(arguments)
    if arguments.manifest:
        manifest.refuse_existing(arguments.manifest)
    rows: list[Row] = []
    with in_one_line(arguments.folder), listing(arguments.folder) as found:
        for row in found.rows:
            rows.append(row)
            if not arguments.json:
                print("\n".join(pairs_text.lines(row)), flush=True)
    left = [item._asdict() | {"path": str(item.path)} for item in found.left]
    if arguments.json:
        print(json.dumps({"pairs": rows, "left": left}, indent=1))
    else:
        print("\n".join(pairs_text.end(rows, left, found.skipped)))
    if arguments.manifest:
        _write(arguments.manifest, rows, arguments.accept)
    if not rows:
        words = f"no pair among {len(left)} series and files" if left else "no scan there"
        print(one_line(f"thinslice pairs: {arguments.folder}: {words}"), file=sys.stderr)
        return 2
    return int(not any(row["verdict"] == "certified" for row in rows))


def _refuse_unclear(arguments: argparse.Namespace) -> None:
    """Refuse what could not be carried out in the end, before any work."""
    folder = arguments.folder
    if not folder.exists():
        raise refused(folder, "nothing there", "a folder with DICOM files", "check the path")
    if arguments.manifest and folder.is_file():
        advice = "unpack the zip, and name the folder"
        raise refused(folder, "a file", "a folder, as a manifest names folders", advice)
    if arguments.manifest and arguments.manifest.suffix.lower() != ".csv":
        name = f"a name with ending {arguments.manifest.suffix!r}"
        raise refused(arguments.manifest, name, "a new .csv", "end its name in .csv")
    if arguments.accept and not arguments.manifest:
        raise refused("--accept", "no --manifest", "one", "it changes what the manifest holds")


def _write(path: Path, rows: "list[Row]", accept: list[str]) -> None:
    from thinslice.pairs import manifest

    taken, left = manifest.chosen(rows, accept)
    if not taken:
        print(one_line(f"{path}: not written, as no pair is certified"), file=sys.stderr)
        return
    manifest.write(path, taken)
    names: list[Any] = [row["case"] for row in left]
    for line in pairs_text.written(path, len(taken), names):
        print(one_line(line), file=sys.stderr)
