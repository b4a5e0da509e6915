"""Results that are not what their records say, or rest on what has been made again since.

They are taken for not made, so that they are made again. Snakemake asks whether a file is there and
newer than its inputs. A power cut, a failing disk or a hand can leave one that is both and yet half
or empty; and where a clock was set back, "newer" says nothing. So before anything is planned every
record is read, and where it and its results, or it and the records it names, do not agree, the
record goes out of its place and its job is run again. It is kept, hidden beside: else what another
config made once, from inputs that are no more, would lose the word on how.

Only a file that changed after its record is hashed: a record is written last, so the others are as
they were. A store may be absent, disk space being dear; what a record says of a store is its
manifest, and the store holds its files to that whenever it reads them. Standard library only.
"""

import contextlib
import fcntl
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from thinslice.provenance.records import SUFFIX, BrokenLinkError, read_record, sha256_of

FOLDERS_WITHOUT = ("work", "logs", "benchmarks")  # where no record lies
STORE = ".zarr"
FORGOTTEN = ".forgotten"  # ends the name of what no longer counts as a record


def forget(results: Path) -> list[str]:
    """Hide the records of results that do not stand; what was wrong, one line for each."""
    said: list[str] = []
    whole, ids = {}, {}
    for record in records(results):
        try:
            whole[record] = read_record(record)
            ids[str(record)] = whole[record]["id"]
        except (BrokenLinkError, OSError) as error:
            said += _forgotten(record, str(error))
    for record, content in whole.items():
        problem = _torn(record, content) or _outlived(record, content, ids)
        said += _forgotten(record, problem) if problem else []
    return said


def _forgotten(record: Path, problem: str) -> list[str]:
    if _being_written(record):
        return []
    with contextlib.suppress(FileNotFoundError):
        record.replace(record.with_name(f".{record.name}{FORGOTTEN}"))
    return [f"taken for not made: {problem}"]


def records(results: Path) -> Iterator[Path]:
    """Every record below a results folder; no store is walked, nor raw scans."""
    for folder, names, files in os.walk(results):
        top = Path(folder) == results
        skipped = FOLDERS_WITHOUT if top else ()
        names[:] = [name for name in names if not name.endswith(STORE) and name not in skipped]
        if Path(folder) == results / "raw":
            names.clear()
        whole = (name for name in files if name.endswith(SUFFIX) and name[0] != ".")
        yield from (Path(folder, name) for name in whole)


def _torn(record: Path, content: Mapping[str, Any]) -> str | None:
    """The first result that is not what its record says."""
    try:
        written_ns = record.stat().st_mtime_ns
        for output in content["outputs"].values():
            path = Path(output["path"])
            if path.suffix == STORE and not path.exists():
                continue
            if _changed_after(path, written_ns) and sha256_of(path) != output["sha256"]:
                return f"{path} is not what {record} says"
    except (BrokenLinkError, OSError) as error:
        return str(error)
    return None


def _outlived(record: Path, content: Mapping[str, Any], ids: Mapping[str, str]) -> str | None:
    """The first input that was made again after this was made from it."""
    for given in content["inputs"].values():
        if given["record"] in ids and ids[given["record"]] != given["record_id"]:
            return f"{record} rests on another {given['path']} than the one that is there"
    return None


def _changed_after(path: Path, written_ns: int) -> bool:
    file = path / "manifest.json" if path.suffix == STORE else path
    return not file.is_file() or file.stat().st_mtime_ns > written_ns


def _being_written(record: Path) -> bool:
    """Whether a job, orphaned by a killed run, is making this result now."""
    lock = record.with_name(f".{record.name}.lock")
    if not lock.exists():
        return False
    with lock.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
