"""One driver per results folder: a lock the kernel releases when its holder dies.

Snakemake's own lock outlives a killed driver and must be lifted by hand; the profile switches it
off and this one stands in, so that the same command goes on after a kill -9. Standard library only.
"""

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

from thinslice.fs.locks import try_lock

TRIES, POLL_S = 20, 0.1  # a run that only looks whether the folder is idle is outwaited
_HELD: list[int] = []  # open for the life of the process


def hold(results: str) -> None:
    """Take the lock of a results folder; SystemExit with one line if another driver has it, or if
    the disk has no room for the holder's number, and so none for results."""
    lock = _opened(results)
    if not any(try_lock(lock) or time.sleep(POLL_S) for _ in range(TRIES)):
        holder = os.read(lock, 64).decode(errors="replace").strip() or "unknown"
        raise SystemExit(
            f"{_path(results)}: another thinslice run (process {holder}) is working in this "
            "folder; wait for it, or stop it"
        )
    number = f"{os.getpid()}\n".encode()
    try:
        os.pwrite(lock, number, 0)  # over a killed run's: on a full disk that must still be told
        os.ftruncate(lock, len(number))
        os.fsync(lock)  # after a power cut too
    except OSError as error:
        os.close(lock)
        raise SystemExit(
            f"refused: the disk under {results} cannot be written ({error.strerror}): mend that, "
            "then run the same command again"
        ) from None
    _HELD.append(lock)


def ended() -> None:
    """Say in the folder that the driver came to its end, good or bad, and was not killed."""
    for lock in _HELD:
        os.ftruncate(lock, 0)


def was_killed(results: str) -> bool:
    """Whether the driver before did not come to its end; of an idle folder."""
    path = _path(results)
    return path.exists() and path.stat().st_size > 0


@contextlib.contextmanager
def idle(results: str) -> Iterator[bool]:
    """Whether no driver works in a results folder; while it is so, none begins inside the block."""
    lock = _opened(results)
    try:
        yield try_lock(lock)
    finally:
        os.close(lock)


def _path(results: str) -> Path:
    return Path(results) / ".run.lock"


def _opened(results: str) -> int:
    Path(results).mkdir(parents=True, exist_ok=True)
    return os.open(_path(results), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC)
