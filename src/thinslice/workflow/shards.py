"""Into how many jobs the restoring of a cell is cut. Standard library only.

The number is scheduling: it changes no result, so it must rerun none. But Snakemake runs a job
again whose inputs are other files than before, and the shards are inputs of the job that joins
them. A cell that stands therefore keeps the number it was made with, and a new number counts for
cells that are still to be made.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

RESULTS = Path("results")


def names(cell: str, asked: int, card: Mapping[str, Any], results: Path = RESULTS) -> list[str]:
    """The cell's shards, as Snakemake names them without an ending; none where one job does all.

    cell     its path below results/restored
    asked    the number that the config asks for
    card     the method's, as a job gets it
    """
    n = _number(results / f"restored/{cell}.record.json", results / f"shards/{cell}", asked, card)
    return [f"results/shards/{cell}/{i}of{n}" for i in range(n)] if n > 1 else []


def _number(record: Path, folder: Path, asked: int, card: Mapping[str, Any]) -> int:
    """As the cell was made if it stands; as its shards were if all lie there; else as asked.

    The second is for a job of a cluster, which plans once more when the old cell is gone already.
    """
    if (made := _facts(record, card)) is not None:
        return len(made.get("shards", [])) or 1
    whole = [n for n in _begun(folder) if all(_made(folder, i, n, card) for i in range(n))]
    return asked if asked in whole or not whole else max(whole)


def _begun(folder: Path) -> set[int]:
    return {int(path.name.split("of")[1].split(".")[0]) for path in folder.glob("0of*.record.json")}


def _made(folder: Path, i: int, n: int, card: Mapping[str, Any]) -> bool:
    return _facts(folder / f"{i}of{n}.record.json", card) is not None


def _facts(record: Path, card: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """What a record says was measured, if it is there and the method is still as it was."""
    try:
        found = json.loads(record.read_text(encoding="utf-8"))
        return found["facts"] if found["cards"] == {"method": card} else None
    except (OSError, ValueError, KeyError, TypeError):
        return None
