"""Checkpoints of a scan that is being restored, in a folder beside OUT until OUT is written.

``OUT.thinslice.work`` holds one folder per identity of the computation (scan, method, settings,
code), so that a second call resumes from its own checkpoints and never from those of another. A
lock keeps two calls from writing the same OUT.
"""

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from thinslice import plugins
from thinslice.errors import in_one_line, refused
from thinslice.fs.locks import folder_to_lock, is_at, try_lock
from thinslice.provenance.code_digest import code_digest
from thinslice.provenance.records import record_id
from thinslice.restoration.restore import Plan

ENDING = ".thinslice.work"
OURS = re.compile(r"[0-9a-f]{16}")


class Checkpoints(NamedTuple):
    """The folder of one computation, and what earlier calls left."""

    folder: Path
    resumes: bool  # the folder holds checkpoints
    others: bool  # there are some of another scan, method, settings or version: not used


def folder_beside(out: Path) -> Path:
    """The folder of all checkpoints for a resolved ``out``."""
    return out.with_name(out.name + ENDING)


def identity(planned: Plan) -> str:
    """Hash of what checkpoints depend on: the scan as it was read, the method and its code."""
    thick, card = planned.thick, planned.chosen.card
    return record_id(
        {
            "files": sorted(planned.inputs.values()),
            "series": planned.scan and planned.scan.source.get("series_uid"),  # zips hold several
            "acquisition": planned.scan and planned.scan.source.get("acquisition"),
            "grid": thick.grid.to_json(),
            "modality": thick.modality,
            "card": dict(card),
            "code": code_digest(plugins.module_name("methods", card)),
            "weights": planned.chosen.weights_sha256,
            "refine": planned.refine and str(planned.refine),
        }
    )


@contextmanager
def locked(out: Path, planned: Plan) -> Iterator[Checkpoints]:
    """The checkpoints for a resolved ``out``, locked during the block.

    They are removed when the block ends well, and kept otherwise. Refused while another process has
    the lock; OSError where nothing can be written beside ``out``.
    """
    work = folder_beside(out)
    with in_one_line(work, "a place that can be written", "choose another name for OUT"):
        lock = _locked(work)
    try:
        name = identity(planned)
        earlier = {path.name for path in work.iterdir() if OURS.fullmatch(path.name)}
        (work / name).mkdir(exist_ok=True)
        resumes = any((work / name).iterdir())
        yield Checkpoints(work / name, resumes, bool(earlier - {name}))
        for folder in earlier | {name}:
            shutil.rmtree(work / folder)
    finally:
        _remove_empty(work)
        os.close(lock)


def _locked(work: Path) -> int:
    """Make and lock the folder; again if the holder before removed it meanwhile."""
    while True:
        work.mkdir(parents=True, exist_ok=True)
        lock = folder_to_lock(work)
        if not try_lock(lock):
            os.close(lock)
            found = "another thinslice restore, working on the same name"
            raise refused(work, found, "one at a time", "wait for it, or stop it")
        if is_at(lock, work):
            return lock
        os.close(lock)


def _remove_empty(work: Path) -> None:
    """Remove empty folders; one that holds something, ours or not, stays."""
    for folder in (*work.iterdir(), work):
        with suppress(OSError):
            folder.rmdir()
