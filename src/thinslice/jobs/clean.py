"""Disk space back: what can be made again, or is done with, removed from a results folder.

Only what the workflow itself has put there is ever removed, and only where a record shows that it
is finished with. Links are not followed: what lies behind one is not ours to delete.

Run as targets of the workflow, whose lock keeps every other run out of the folder meanwhile.
"""

import os
import re
import shutil
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from thinslice import store
from thinslice.provenance import tombstone
from thinslice.provenance.records import (
    SUFFIX,
    BrokenLinkError,
    claimed_sha256,
    read_record,
    record_id,
    record_path,
)
from thinslice.store.commit import MARK

MIB = 2**20
WORK_NAME = re.compile(r"[0-9a-f]{16}")


@dataclass
class CleanupReport:
    """What was removed, and what was kept for a reason."""

    removed: int = 0
    bytes_: int = 0
    kept: list[str] = field(default_factory=list)

    def lines(self, what: str) -> list[str]:
        """As printed, e.g. "removed 12 restored volumes: 3482 MiB freed"."""
        freed = f"removed {self.removed} {what}: {self.bytes_ / MIB:.0f} MiB freed"
        return [*(f"kept {why}" for why in self.kept), freed]


def restored(results: Path) -> CleanupReport:
    """Remove the restored volumes of every cell that is scored; each leaves a note.

    Records, scores, tables, figures and weights stay, so nothing is to do afterwards.
    """
    done = CleanupReport()
    for path in _below(results / "restored", "*/*/*/*.zarr", done):
        cell = path.relative_to(results / "restored").with_suffix("")
        try:
            record = read_record(record_path(path))
            claimed_sha256(record, path)
            store.refuse_foreign(path)
            if not _scored(results / "scores" / cell, record):
                raise BrokenLinkError(f"{cell} is not scored")
        except ValueError as why:
            done.kept.append(f"{path}: {why}")
            continue
        tombstone.note(path, record)
        _remove(path, done)
    return done


def work(results: Path) -> CleanupReport:
    """Remove checkpoints of trainings that ended, and shards of cells that were joined."""
    done = CleanupReport()
    ended = set(_ended(results))
    for path in _below(results / "work", "*/*", done):
        if not WORK_NAME.fullmatch(path.name) or not path.is_dir():
            done.kept.append(f"{path}: not a training's")
        elif path not in ended:
            done.kept.append(f"{path}: no training that ended went by it")
        else:
            _remove(path, done)
    for path in _below(results / "shards", "*/*/*/*/*.zarr", done):
        if _joined(path, results):
            record_path(path).unlink()
            _remove(path, done)
        else:
            done.kept.append(f"{path}: its cell is not joined")
    return done


def _below(folder: Path, pattern: str, done: CleanupReport) -> Iterator[Path]:
    """What matches below a folder, links left out, each with a word."""
    if folder.is_symlink():
        done.kept.append(f"{folder}: a link; clean where it points to")
        return
    for path in sorted(folder.glob(pattern)):
        if path.resolve() != folder.resolve() / path.relative_to(folder):
            done.kept.append(f"{path}: a link, or behind one")
        elif MARK not in path.name:
            yield path


def _remove(path: Path, done: CleanupReport) -> None:
    """Out of its place by one rename, then deleted: a kill leaves no half of a volume there.

    What a kill leaves beside has the name of an unfinished writer's, which the next one removes.
    """
    files = [Path(top, name) for top, _, names in os.walk(path) for name in names]
    done.bytes_ += sum(file.lstat().st_size for file in files)
    done.removed += 1
    aside = path.with_name(f"{path.name}{MARK}{socket.gethostname()}-{os.getpid()}-old")
    os.rename(path, aside)
    shutil.rmtree(aside)


def _scored(scores: Path, restored: Mapping[str, Any]) -> bool:
    """Whether the scores of a cell are those of these restored volumes."""
    record = _read(scores.with_suffix(SUFFIX))
    return record is not None and record["inputs"][0]["record_id"] == restored["id"]


def _ended(results: Path) -> Iterator[Path]:
    """Where trainings that ended kept their checkpoints."""
    for path in (results / "weights").glob(f"*/*{SUFFIX}"):
        if record := _read(path):
            data = [given["sha256"] for given in record["inputs"]]
            card, script = record["cards"]["method"], record["script_code"]
            named = record_id({"card": card, "data": data, "script": script})
            yield results / "work" / path.parent.name / named
    for path in (results / "restored").glob(f"*/*/*/*{SUFFIX}"):
        if (record := _read(path)) and "work" in record["facts"]:
            method, named = Path(record["facts"]["work"]).parts[-2:]
            yield results / "work" / method / named


def _joined(shard: Path, results: Path) -> bool:
    """Whether a shard's cell stands, made by the same card from the same inputs."""
    cell = shard.parent.relative_to(results / "shards")
    whole = _read((results / "restored" / cell).with_suffix(SUFFIX))
    part = _read(record_path(shard))
    return whole is not None and part is not None and _told(whole) == _told(part)


def _told(record: Mapping[str, Any]) -> tuple[Any, list[str]]:
    return record["cards"]["method"], [given["sha256"] for given in record["inputs"]]


def _read(record: Path) -> dict[str, Any] | None:
    try:
        return read_record(record)
    except BrokenLinkError:
        return None
