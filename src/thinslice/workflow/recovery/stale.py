"""Stale results: not what their records say, or made from inputs that were made again since.

They are invalidated, so that their jobs run again. Snakemake checks that a file is there and newer
than its inputs. A power cut, a failing disk or a person can leave a file that is both and yet torn;
and after a clock was set back, "newer" means nothing. So before anything is planned every record is
read; if it disagrees with its results, or with the records of its inputs, it is moved out of its
place. It is kept, hidden beside: results of another config, whose inputs are gone, would otherwise
lose their record.

Only a file that changed after its record was written is hashed: a record is written last. A store
may be absent, removed to free disk space; of a store the hash is that of its manifest, against
which the store checks its files whenever it reads them. Standard library only.
"""

import contextlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from thinslice.fs.locks import is_locked
from thinslice.provenance.records import SUFFIX, BrokenLinkError, read_record, sha256_of

NO_RECORDS = ("work", "logs", "benchmarks")  # folders without records
STORE = ".zarr"
INVALIDATED = ".invalidated"  # suffix of a record that is hidden


def invalidate(results: Path) -> list[str]:
    """Hide the records of stale results; what was wrong, one line for each."""
    lines: list[str] = []
    whole, ids = {}, {}
    for record in records(results):
        try:
            whole[record] = read_record(record)
            ids[str(record)] = whole[record]["id"]
        except (BrokenLinkError, OSError) as error:
            lines += _hide(record, str(error))
    for record, content in whole.items():
        problem = _torn(record, content) or _outdated(record, content, ids)
        lines += _hide(record, problem) if problem else []
    return lines


def _hide(record: Path, problem: str) -> list[str]:
    if is_locked(record):  # an orphan, a job of a killed run, is writing it
        return []
    with contextlib.suppress(FileNotFoundError):
        record.replace(record.with_name(f".{record.name}{INVALIDATED}"))
    return [f"will be recomputed: {problem}"]


def records(results: Path) -> Iterator[Path]:
    """Every record below a results folder; neither stores nor raw scans are searched."""
    for folder, names, files in os.walk(results):
        top = Path(folder) == results
        skipped = NO_RECORDS if top else ()
        names[:] = [name for name in names if not name.endswith(STORE) and name not in skipped]
        if Path(folder) == results / "raw":
            names.clear()
        visible = (name for name in files if name.endswith(SUFFIX) and name[0] != ".")
        yield from (Path(folder, name) for name in visible)


def _torn(record: Path, content: Mapping[str, Any]) -> str | None:
    """The first result that is not what its record says, in words; None if all are."""
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


def _outdated(record: Path, content: Mapping[str, Any], ids: Mapping[str, str]) -> str | None:
    """The first input that was made again after this was made from it, in words; None if none."""
    for link in content["inputs"].values():
        if link["record"] in ids and ids[link["record"]] != link["record_id"]:
            return f"{record} was made from another {link['path']} than the one that is there"
    return None


def _changed_after(path: Path, written_ns: int) -> bool:
    file = path / "manifest.json" if path.suffix == STORE else path
    return not file.is_file() or file.stat().st_mtime_ns > written_ns
