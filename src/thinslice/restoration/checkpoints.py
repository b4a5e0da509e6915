"""Checkpoints of a scan being restored, in a folder beside OUT: kept until OUT stands.

``OUT.thinslice.work`` holds one folder per identity of what is computed (scan, method, settings,
code), so that a second call goes on from its own checkpoints and never from another's. A lock of
the kernel keeps two calls from writing the same OUT; it ends with its holder, however that dies.
"""

import fcntl
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from thinslice import plugins
from thinslice.errors import refused
from thinslice.fs.transaction import real_place
from thinslice.provenance.code_digest import code_digest
from thinslice.provenance.records import record_id
from thinslice.restoration.restore import Plan

ENDING = ".thinslice.work"
OURS = re.compile(r"[0-9a-f]{16}")


class Work(NamedTuple):
    """The folder to work in, and what was found in it."""

    folder: Path
    goes_on: bool  # there are checkpoints of this same computation
    others: bool  # there are some of another scan, method, settings or version: not used


def place(out: Path) -> Path:
    """Where the work on ``out`` lies."""
    out = real_place(out)
    return out.with_name(out.name + ENDING)


def identity(planned: Plan) -> str:
    """Hash of all that checkpoints rest on: the scan as it was read, the method and its code."""
    thick, card = planned.thick, planned.chosen.card
    return record_id(
        {
            "files": sorted(planned.inputs.values()),
            "series": planned.scan and planned.scan.source.get("series_uid"),  # zips hold several
            "grid": thick.grid.to_json(),
            "modality": thick.modality,
            "card": dict(card),
            "code": code_digest(plugins.module_name("methods", card)),
            "weights": planned.chosen.weights_sha256,
        }
    )


@contextmanager
def held(out: Path, planned: Plan) -> Iterator[Work]:
    """The work on ``out``, locked; gone when the block ends well, kept where there is something.

    Refused while another process holds it; OSError where nothing can be written beside ``out``.
    """
    work = place(out)
    lock = _locked(work)
    try:
        name = identity(planned)
        there = {path.name for path in work.iterdir() if OURS.fullmatch(path.name)}
        (work / name).mkdir(exist_ok=True)
        goes_on = any((work / name).iterdir())
        yield Work(work / name, goes_on, bool(there - {name}))
        for folder in there | {name}:
            shutil.rmtree(work / folder)
    finally:
        _tidy(work)
        os.close(lock)


def _locked(work: Path) -> int:
    """The folder, made and locked; one that the holder before removed meanwhile is made again."""
    while True:
        work.mkdir(parents=True, exist_ok=True)
        lock = os.open(work, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(lock), os.stat(work)):
                return lock
        except FileNotFoundError:
            pass
        except BlockingIOError:
            os.close(lock)
            found = "another thinslice restore, working on the same name"
            raise refused(work, found, "one at a time", "wait for it, or stop it") from None
        os.close(lock)


def _tidy(work: Path) -> None:
    """Remove what is empty; a folder that holds something, ours or not, stays."""
    for folder in (*work.iterdir(), work):
        with suppress(OSError):
            folder.rmdir()
