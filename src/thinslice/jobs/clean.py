"""Free disk space in a results folder: remove what can be made again, or is no longer needed.

Only what the workflow itself put there is removed, and only where a record shows that it is
finished. Symbolic links are not followed: their targets belong to others.

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
from thinslice.jobs.checkpoints import checkpoint_name
from thinslice.provenance import tombstone
from thinslice.provenance.job import input_hashes
from thinslice.provenance.records import (
    SUFFIX,
    BrokenLinkError,
    claimed_sha256,
    read_record,
    record_path,
)
from thinslice.store.commit import MARK

MIB = 2**20
WORK_NAME = re.compile(r"[0-9a-f]{16}")


@dataclass
class CleanupReport:
    """What was removed, and what was left in place and why."""

    removed: int = 0
    bytes_: int = 0
    left: list[str] = field(default_factory=list)

    def lines(self, what: str) -> list[str]:
        """Lines to print, e.g. "removed 12 restored volumes: 3482 MiB freed"."""
        freed = f"removed {self.removed} {what}: {self.bytes_ / MIB:.0f} MiB freed"
        return [*(f"kept {why}" for why in self.left), freed]


def clean(what: str, results: Path) -> None:
    """Free the space of ``what``, a key of WHAT; print what was removed and what was kept."""
    remove, name = WHAT[what]
    print("\n".join(remove(results).lines(name)))


def restored(results: Path) -> CleanupReport:
    """Remove the restored volumes of every scored cell; each leaves a tombstone.

    Records, scores, tables, figures and weights stay, so the workflow has nothing to do afterwards.
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
            done.left.append(f"{path}: {why}")
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
            done.left.append(f"{path}: no folder of a training")
        elif path not in ended:
            done.left.append(f"{path}: no finished training used it")
        else:
            _remove(path, done)
    for path in _below(results / "shards", "*/*/*/*/*.zarr", done):
        if _joined(path, results):
            record_path(path).unlink()
            _remove(path, done)
        else:
            done.left.append(f"{path}: its cell is not joined")
    return done


WHAT = {
    "restored": (restored, "restored volumes"),
    "work": (work, "checkpoints and shards"),
}


def _below(folder: Path, pattern: str, done: CleanupReport) -> Iterator[Path]:
    """Paths below a folder that match, without links, each of which is reported."""
    if folder.is_symlink():
        done.left.append(f"{folder}: a link; clean where it points to")
        return
    for path in sorted(folder.glob(pattern)):
        if path.resolve() != folder.resolve() / path.relative_to(folder):
            done.left.append(f"{path}: a link, or behind one")
        elif MARK not in path.name:
            yield path


def _remove(path: Path, done: CleanupReport) -> None:
    """Rename, then delete: a kill leaves no half of a volume in place.

    What a kill leaves beside has the name of an unfinished write, which the next writer removes.
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
    return record is not None and record["inputs"]["restored"]["record_id"] == restored["id"]


def _ended(results: Path) -> Iterator[Path]:
    """Folders of the checkpoints of finished trainings."""
    for path in (results / "weights").glob(f"*/*{SUFFIX}"):
        if record := _read(path):
            hashes = input_hashes(record["inputs"])
            name = checkpoint_name(record["cards"]["method"], hashes, record["script_code"])
            yield results / "work" / path.parent.name / name
    for path in (results / "segmenters").glob(f"*{SUFFIX}"):
        if record := _read(path):
            hashes = input_hashes(record["inputs"])
            name = checkpoint_name(record["cards"]["segmenter"], hashes, record["script_code"])
            yield results / "work" / "segmenters" / name
    for path in (results / "restored").glob(f"*/*/*/*{SUFFIX}"):
        if (record := _read(path)) and "work" in record["facts"]:
            method, name = Path(record["facts"]["work"]).parts[-2:]
            yield results / "work" / method / name


def _joined(shard: Path, results: Path) -> bool:
    """Whether a shard's cell was joined, by the same card and from the same inputs."""
    cell = shard.parent.relative_to(results / "shards")
    whole = _read((results / "restored" / cell).with_suffix(SUFFIX))
    part = _read(record_path(shard))
    return whole is not None and part is not None and _request(whole) == _request(part)


def _request(record: Mapping[str, Any]) -> tuple[Any, dict[str, str]]:
    return record["cards"]["method"], input_hashes(record["inputs"])


def _read(record: Path) -> dict[str, Any] | None:
    try:
        return read_record(record)
    except BrokenLinkError:
        return None
