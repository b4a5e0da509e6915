"""Tombstones of volumes that were removed to free disk space.

A tombstone lies where the volume was and names the volume's record. It tells a removed volume from
a lost one, and counts for that record alone: the volume made again has another. Standard library
only.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from thinslice.fs.atomic import write_text

SUFFIX = ".removed.json"


def tombstone_of(volume: Path) -> Path:
    """Where the tombstone of a volume lies: beside it."""
    return volume.with_suffix(SUFFIX)


def note(volume: Path, record: Mapping[str, Any]) -> None:
    """Write the tombstone of a volume that is removed now."""
    content = {"record": record["id"], "removed": datetime.now(UTC).isoformat(timespec="seconds")}
    write_text(tombstone_of(volume), json.dumps(content, indent=1) + "\n")


def removed(volume: Path, record: Mapping[str, Any]) -> str | None:
    """When the volume of a record was removed; None if it is there, or has no tombstone."""
    if volume.exists():
        return None
    try:
        content = json.loads(tombstone_of(volume).read_text(encoding="utf-8"))
        return content["removed"] if content["record"] == record["id"] else None
    except (OSError, ValueError, KeyError, TypeError):
        return None
