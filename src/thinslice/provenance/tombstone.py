"""Volumes removed on purpose, disk space being dear, and the notes that say so.

A note lies beside where the volume was and names the record of its making. It tells a volume that
somebody removed from one that was lost, and counts for that record alone: the volume made again has
another. Standard library only.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from thinslice.fs.atomic import write_text

SUFFIX = ".removed.json"


def tombstone_of(volume: Path) -> Path:
    """Where the note of a removed volume lies: beside it."""
    return volume.with_suffix(SUFFIX)


def note(volume: Path, record: Mapping[str, Any]) -> None:
    """Say that a volume is removed, now, by its record's id."""
    said = {"record": record["id"], "removed": datetime.now(UTC).isoformat(timespec="seconds")}
    write_text(tombstone_of(volume), json.dumps(said, indent=1) + "\n")


def removed(volume: Path, record: Mapping[str, Any]) -> str | None:
    """When a volume that a record made was removed; None if it is there, or nobody says so."""
    if volume.exists():
        return None
    try:
        said = json.loads(tombstone_of(volume).read_text(encoding="utf-8"))
        return said["removed"] if said["record"] == record["id"] else None
    except (OSError, ValueError, KeyError, TypeError):
        return None
