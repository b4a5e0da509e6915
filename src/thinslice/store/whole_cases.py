"""Which cases of a store that is being written are whole: what a killed writer leaves to the next.

A case is marked once its files are on the disk, with the hash of each and a key that names all the
case rests on. Marks lie in a folder of the unfinished store and are gone from the finished one.
"""

import json
import os
import shutil
from pathlib import Path
from typing import Any

from thinslice.fs.atomic import sync, write_text
from thinslice.fs.hashing import sha256_of_file
from thinslice.store.layout import StoreError

MARKS = ".whole"


def mark(folder: Path, case: str, key: str, split: Any) -> None:
    """Say that ``case`` is whole, after its files have reached the disk; StoreError where another
    writer took the store over meanwhile, and the case may be torn."""
    files = _hashes(folder / case)
    for name in files:
        sync(folder / case / name)
    if not (folder / "zarr.json").is_file():
        raise StoreError(f"{folder}: another writer took it over; nothing to do")
    content = {"key": key, "split": split, "files": files}
    write_text(folder / MARKS / f"{case}.json", json.dumps(content))


def read(folder: Path, key: str) -> dict[str, Any]:
    """Split of every case that is marked with ``key``."""
    return {case: content["split"] for case, content in _marks(folder, key).items()}


def files(folder: Path, key: str) -> dict[str, dict[str, str]]:
    """SHA-256 of every file of every case that is marked with ``key``, by case."""
    return {case: content["files"] for case, content in _marks(folder, key).items()}


def take_over(stale: Path, folder: Path, key: str) -> None:
    """Move the cases of ``key`` that are as they were marked into another unfinished store."""
    for case, content in _marks(stale, key).items():
        if (folder / case).exists() or _hashes(stale / case) != content["files"]:
            continue
        os.rename(stale / case, folder / case)
        (folder / MARKS).mkdir(exist_ok=True)
        os.rename(stale / MARKS / f"{case}.json", folder / MARKS / f"{case}.json")


def forget(folder: Path) -> None:
    """Remove all marks: the store gets its manifest."""
    shutil.rmtree(folder / MARKS, ignore_errors=True)


def _marks(folder: Path, key: str) -> dict[str, dict[str, Any]]:
    marks = {}
    for file in sorted((folder / MARKS).glob("*.json")):
        try:
            content = json.loads(file.read_text(encoding="utf-8"))
            if content["key"] == key and isinstance(content["files"], dict):
                marks[file.stem] = content
        except (OSError, ValueError, KeyError, TypeError):
            continue  # of a writer that was killed at it
    return marks


def _hashes(case: Path) -> dict[str, str]:
    files = [Path(top, name) for top, _, names in os.walk(case) for name in names]
    return {file.relative_to(case).as_posix(): sha256_of_file(file) for file in sorted(files)}
