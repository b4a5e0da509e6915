"""Stamps of cells that were made again: when, on which machine, and how far they agreed.

They lie beside the evidence, in one file whose id is the hash of its content. Standard library
only.
"""

import json
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from thinslice.fs.atomic import write_text
from thinslice.fs.locks import locked
from thinslice.provenance.records import BrokenLinkError, record_id, record_text

FILE = Path("results/evidence/reruns.json")
EQUAL, WITHIN, DIFFERS = "bit-equal", "within tolerance", "differs"
Stamp = Mapping[str, Any]


def read(path: Path = FILE) -> list[Stamp]:
    """Every stamp, oldest first; none without a file. BrokenLinkError if the file was changed."""
    if not path.exists():
        return []
    try:
        text = path.read_text(encoding="utf-8")
        content = json.loads(text)
        identity = content.pop("id")
        stamps = content["stamps"]
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise BrokenLinkError(f"{path} holds no stamps: {error!r}; delete it") from None
    if record_id(content) != identity or record_text({"id": identity, **content}) != text:
        raise BrokenLinkError(f"{path} was changed: its id is not that of its content; delete it")
    return stamps


def add(stamps: Iterable[Stamp], path: Path = FILE) -> None:
    """Write stamps below those that are there."""
    with locked(path):
        content = {"format": 1, "stamps": [*read(path), *stamps]}
        write_text(path, record_text({"id": record_id(content), **content}))


def latest(stamps: Iterable[Stamp], records: Collection[str]) -> list[Stamp]:
    """Of the records given, by id, the last stamp of each: one of another record says nothing."""
    last = {stamp["record"]: stamp for stamp in stamps if stamp["record"] in records}
    return list(last.values())


def words(stamp: Stamp) -> str:
    """One stamp in one line."""
    machine = stamp["machine"]
    largest = ", ".join(f"{value:.3g} {unit}" for unit, value in stamp["largest"].items())
    apart = f" (largest difference {largest})" if stamp["agreement"] != EQUAL else ""
    where = f"{machine['host']} ({machine['cpu']})"
    return f"{stamp['cell']} on {stamp['date'][:10]}, {where}: {stamp['agreement']}{apart}"
