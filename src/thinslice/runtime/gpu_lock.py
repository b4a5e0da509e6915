"""One GPU, one job: a lock per device that the kernel releases when its holder dies.

Jobs that run at once each lock the files of their devices. Nothing needs tidying after kill -9: the
lock is on the open file, not the file's existence. A job that needs several takes all of them in
one go or none, one job choosing at a time, so that no two wait for each other's.
"""

import fcntl
import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TextIO

LOG = logging.getLogger(__name__)
POLL_S = 0.2
SAY_EVERY_S = 30.0


@contextmanager
def claim(
    names: Sequence[str], folder: Path, count: int = 1, *, patience_s: float | None = None
) -> Iterator[list[int]]:
    """Hold ``count`` of the devices ``names``; yields their indices. Waits while others hold them.

    ValueError if there are fewer; TimeoutError after ``patience_s`` seconds, if given.
    """
    if not 1 <= count <= len(names):
        raise ValueError(f"{count} GPUs to claim of {len(names)}: {', '.join(names) or 'none'}")
    folder.mkdir(parents=True, exist_ok=True)
    begun = said = time.monotonic()
    while (held := _taken(names, folder, count)) is None:
        now = time.monotonic()
        if patience_s is not None and now - begun > patience_s:
            raise TimeoutError(f"GPUs ({', '.join(names)}) stayed taken for {patience_s:g} s")
        if now - said > SAY_EVERY_S:
            said = now
            LOG.warning(
                "GPUs (%s) are taken by other jobs: waiting for %d", ", ".join(names), count
            )
        time.sleep(POLL_S)
    indices, locks = held
    with locks:  # closing releases them
        yield indices


def _taken(names: Sequence[str], folder: Path, count: int) -> tuple[list[int], ExitStack] | None:
    """The first ``count`` devices that are free, locked; None, and none locked, if too few are."""
    indices: list[int] = []
    with ExitStack() as locks, open(folder / "choosing", "w") as gate:
        fcntl.flock(gate, fcntl.LOCK_EX)  # held for an instant
        for index, name in enumerate(names):
            file = _locked(folder / f"{name.replace('/', '_')}.lock")
            if file is not None:
                locks.enter_context(file)
                indices.append(index)
            if len(indices) == count:
                return indices, locks.pop_all()
    return None


def _locked(path: Path) -> TextIO | None:
    file = open(path, "w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    return file
