"""Shards: into how many jobs the restoring of a cell is divided. Standard library only.

The number is scheduling: it changes no result, so it must rerun none. But Snakemake reruns a job
whose inputs are other files than before, and the shards are inputs of the job that joins them. A
finished cell therefore keeps the number it was made with; a new number applies to cells that are
still to be made (docs/adr/0007-shards-not-scattergather.md).
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

RESULTS = Path("results")


def names(
    cell: str, configured: int, card: Mapping[str, Any], results: Path = RESULTS
) -> list[str]:
    """The paths of a cell's shards, without a suffix; empty where one job restores all of it.

    cell         its path below results/restored
    configured   the number in the config
    card         the method's, as a job gets it
    """
    record, folder = results / f"restored/{cell}.record.json", results / f"shards/{cell}"
    n = _number(record, folder, configured, card)
    return [f"results/shards/{cell}/{i}of{n}" for i in range(n)] if n > 1 else []


def _number(record: Path, folder: Path, configured: int, card: Mapping[str, Any]) -> int:
    """As a finished cell was made; else as a complete set of shards was; else as configured.

    The second is for a job of a cluster, which plans again when the old cell is already removed.
    """
    if (facts := _facts(record, card)) is not None:
        return len(facts.get("shards", [])) or 1
    complete = [n for n in _begun(folder) if all(_made(folder, i, n, card) for i in range(n))]
    return configured if configured in complete or not complete else max(complete)


def _begun(folder: Path) -> set[int]:
    return {int(path.name.split("of")[1].split(".")[0]) for path in folder.glob("0of*.record.json")}


def _made(folder: Path, i: int, n: int, card: Mapping[str, Any]) -> bool:
    return _facts(folder / f"{i}of{n}.record.json", card) is not None


def _facts(record: Path, card: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The facts of a record, if it is there and its method is unchanged."""
    try:
        content = json.loads(record.read_text(encoding="utf-8"))
        return content["facts"] if content["cards"] == {"method": card} else None
    except (OSError, ValueError, KeyError, TypeError):
        return None
