"""Deduplicate a job that a killed run started and the next run starts again.

The results of the first are kept: in their place if the second had to wait for its lock, or set
aside before the second was planned (``workflow.recovery.orphans``). Standard library only.
"""

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from thinslice.provenance.records import BrokenLinkError, read_record, verify_unchanged

ASIDE = ".aside-"  # prefix of the name of what was set aside


def set_aside(record: Path) -> None:
    """Hide a record and its outputs, for the next job of the same kind to reclaim or remove.

    BrokenLinkError or FileNotFoundError, and nothing hidden, where they are not whole.
    """
    outputs = [Path(output["path"]) for output in read_record(record)["outputs"].values()]
    for path in outputs:
        if not path.exists() and not _aside(path).exists():  # a job of two records names both
            raise FileNotFoundError(f"{path} is missing")
    for path in [record, *outputs]:
        if path.exists():
            _remove(_aside(path))
            os.rename(path, _aside(path))


def reclaim(records: Sequence[Path], request: Mapping[str, Any]) -> bool:
    """Put back results that were set aside, if this job would make the same; else remove them.

    Whether they are back.
    """
    hidden = [_aside(record) for record in records]
    present = [record for record in hidden if record.exists()]
    if not present:
        return False
    outputs = {_aside(path): sha256 for path, sha256 in _outputs(present[0]).items()}
    same = _is_same(hidden, request, outputs)
    for path in [*outputs, *present]:
        if same:
            _remove(path.with_name(path.name.removeprefix(ASIDE)))
            os.rename(path, path.with_name(path.name.removeprefix(ASIDE)))
        else:
            _remove(path)
    return same


def already_done(records: Sequence[Path], request: Mapping[str, Any]) -> bool:
    """Whether the results this job would make are in their place."""
    outputs = _outputs(records[0])
    return _is_same(records, request, outputs)


def _outputs(record: Path) -> dict[Path, str]:
    """Path and hash of what a record names; nothing where it cannot be read."""
    try:
        outputs = read_record(record)["outputs"].values()
    except BrokenLinkError:
        return {}
    return {Path(output["path"]): output["sha256"] for output in outputs}


def _is_same(
    records: Sequence[Path], request: Mapping[str, Any], outputs: Mapping[Path, str]
) -> bool:
    """Whether records are of this request, and the outputs, wherever they are, whole."""
    request = json.loads(json.dumps(request))  # as a record holds it
    try:
        contents = [read_record(record) for record in records]
        for path, claimed in outputs.items():
            verify_unchanged(path, records[0], claimed)
    except BrokenLinkError:
        return False
    return all(record.get(key) == value for record in contents for key, value in request.items())


def _aside(path: Path) -> Path:
    return path.with_name(ASIDE + path.name)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
