"""What a power cut leaves of files that did not reach the disk: gone, torn, and bits beside."""

import json
import os
import random
import shutil
import subprocess
import sys
from base64 import urlsafe_b64encode
from collections.abc import Callable
from pathlib import Path
from socket import gethostname

from thinslice.workflow.recovery import stale


def lose(folder: Path, rng: random.Random, way: str) -> str:
    """Lose one of the three newest results in the given way; what was done, in words."""
    newest = sorted(stale.records(folder / "results"), key=lambda path: path.stat().st_mtime)[-3:]
    if not newest:
        return "nothing was made yet"
    record = rng.choice(newest)
    _litter(record, store="record" in way)
    WAYS[way](folder, record)
    return f"{way}: {record.relative_to(folder)}"


def tear(path: Path) -> None:
    """Keep the first half of a file."""
    os.truncate(path, path.stat().st_size // 2)


def _record_gone(folder: Path, record: Path) -> None:
    record.unlink()


def _record_torn(folder: Path, record: Path) -> None:
    tear(record)


def _made_gone(folder: Path, record: Path) -> None:
    """What the record speaks of: every store and file, or as with raw scans none."""
    for output in json.loads(record.read_text())["outputs"].values():
        path = folder / output["path"]
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


def _memory_gone(folder: Path, record: Path) -> None:
    """Snakemake's record of it, where it keeps one, and all marks of what was under way."""
    _memory_of(folder, record).unlink(missing_ok=True)
    for mark in (folder / ".snakemake/incomplete").iterdir():
        mark.unlink()


def _memory_torn(folder: Path, record: Path) -> None:
    memory = _memory_of(folder, record)
    if memory.is_file():
        tear(memory)


WAYS: dict[str, Callable[[Path, Path], None]] = {
    "record gone": _record_gone,
    "record torn": _record_torn,
    "what it made gone": _made_gone,
    "Snakemake's memory gone": _memory_gone,
    "Snakemake's memory torn": _memory_torn,
}


def _memory_of(folder: Path, record: Path) -> Path:
    name = str(record.relative_to(folder)).encode()
    return folder / ".snakemake/metadata" / urlsafe_b64encode(name).decode()


def _litter(record: Path, store: bool) -> None:
    """Half-written files as a dead writer leaves them beside; of a store where its job runs again,
    for only the next writer of a store tidies up after the last."""
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    record.with_name(f".{record.name}.{dead.pid}.partial").write_text('{"id": "12')
    made = record.with_name(record.name.removesuffix(".record.json") + ".zarr")
    if store and made.exists():
        partial = made.with_name(f"{made.name}.partial-{gethostname()}-{dead.pid}")
        partial.mkdir()
        (partial / "zarr.json").write_text('{"zarr_fo')
