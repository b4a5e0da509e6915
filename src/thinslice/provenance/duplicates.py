"""A job done twice, by a driver that was killed and by the next one: its results are kept, once.

What the first of the two made stands in its place, where the second had to wait for it; or it was
put aside before the second was planned (``orphaned``). Standard library only.
"""

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from thinslice.provenance.records import BrokenLinkError, read_record, verify_unchanged

ASIDE = ".aside-"  # begins the name of what was put aside


def put_aside(record: Path) -> None:
    """Hide a record and what it names, for the next job of its kind to take back or remove.

    BrokenLinkError or FileNotFoundError, and nothing hidden, where they are not whole.
    """
    made = [Path(output["path"]) for output in read_record(record)["outputs"]]
    for path in made:
        if not path.exists() and not _aside(path).exists():  # a job of two records names both
            raise FileNotFoundError(f"{path} is missing")
    for path in [record, *made]:
        if path.exists():
            _remove(_aside(path))
            os.rename(path, _aside(path))


def taken_back(records: Sequence[Path], asked: Mapping[str, Any]) -> bool:
    """Whether this job's results had been put aside, and stand again; if not, they are removed."""
    hidden = [_aside(record) for record in records]
    found = [record for record in hidden if record.exists()]
    if not found:
        return False
    try:
        made = {_aside(Path(o["path"])): o["sha256"] for o in read_record(found[0])["outputs"]}
    except BrokenLinkError:
        made = {}
    same = _same(hidden, asked, made)
    for path in [*made, *found]:
        if same:
            _remove(path.with_name(path.name.removeprefix(ASIDE)))
            os.rename(path, path.with_name(path.name.removeprefix(ASIDE)))
        else:
            _remove(path)
    return same


def stands(records: Sequence[Path], asked: Mapping[str, Any]) -> bool:
    """Whether what this job would make stands in its place."""
    try:
        made = {Path(o["path"]): o["sha256"] for o in read_record(records[0])["outputs"]}
    except BrokenLinkError:
        return False
    return _same(records, asked, made)


def _same(records: Sequence[Path], asked: Mapping[str, Any], made: Mapping[Path, str]) -> bool:
    """Whether records are of this very job, and the files they name, wherever these are, whole."""
    asked = json.loads(json.dumps(asked))  # as a record holds it
    try:
        found = [read_record(record) for record in records]
        for path, claimed in made.items():
            verify_unchanged(path, records[0], claimed)
    except BrokenLinkError:
        return False
    return all(record.get(key) == value for record in found for key, value in asked.items())


def _aside(path: Path) -> Path:
    return path.with_name(ASIDE + path.name)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
