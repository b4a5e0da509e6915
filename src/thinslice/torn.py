"""Results that are not what their records say: taken for not made, so that they are made again.

A power cut, a failing disk or a hand can leave a file that is there and newer than its inputs,
which is all that Snakemake asks, and yet is half or empty. Before anything is planned every record
is read and what it names is looked at; where they differ the record goes, and its job is run again.

Only a file that changed after its record is hashed: a record is written last, so the others are as
they were. A store may be absent, disk space being dear; what a record says of a store is its
manifest, and the store holds its files to that whenever it reads them. Standard library only.
"""

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from thinslice import provenance

FOLDERS_WITHOUT = ("work", "logs", "benchmarks")  # where no record lies
STORE = ".zarr"


def forget(results: Path) -> list[str]:
    """Remove the records of torn results; what was wrong, one line for each."""
    said = []
    for record in records(results):
        problem = _problem(record)
        if problem and not _being_written(record):
            record.unlink(missing_ok=True)
            said.append(f"taken for not made: {problem}")
    return said


def records(results: Path) -> Iterator[Path]:
    """Every record below a results folder; no store is walked, nor raw scans."""
    for folder, names, files in os.walk(results):
        top = Path(folder) == results
        skipped = FOLDERS_WITHOUT if top else ()
        names[:] = [name for name in names if not name.endswith(STORE) and name not in skipped]
        if Path(folder) == results / "raw":
            names.clear()
        whole = (name for name in files if name.endswith(provenance.SUFFIX) and name[0] != ".")
        yield from (Path(folder, name) for name in whole)


def _problem(record: Path) -> str | None:
    """The first thing that a record and its results do not agree on."""
    try:
        content = provenance.read(record)
        written = record.stat().st_mtime_ns
        for output in content["outputs"]:
            path = Path(output["path"])
            if path.suffix == STORE and not path.exists():
                continue
            if _changed_after(path, written) and provenance.sha256(path) != output["sha256"]:
                return f"{path} is not what {record} says"
    except (provenance.BrokenLinkError, OSError) as error:
        return str(error)
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
