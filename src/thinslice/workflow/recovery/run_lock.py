"""Lock of a results folder, for one run at a time. Standard library only.

Snakemake's own lock outlives a killed run and must be removed by hand. The profile switches it off
and uses this one, which the kernel releases when its holder dies, so that the same command resumes
after a kill -9.
"""

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

from thinslice.fs import locks
from thinslice.fs.locks import try_lock

TRIES, POLL_S = 20, 0.1  # ``idle`` of another run takes the lock for a moment
_LOCKS: list[int] = []  # file descriptors, open until the process ends


def acquire(results: Path) -> None:
    """Take the lock of a results folder until this process ends.

    ValueError if another run has it, or if the disk has no room for the process id, and so none
    for results.
    """
    if not locks.available():
        raise ValueError("the workflow needs file locks of Linux or macOS; on Windows use WSL2")
    lock = _open(results)
    if not any(try_lock(lock) or time.sleep(POLL_S) for _ in range(TRIES)):
        holder = os.read(lock, 64).decode(errors="replace").strip() or "unknown"
        raise ValueError(
            f"{_path(results)}: another thinslice run (process {holder}) is working in this "
            "folder; wait for it, or stop it"
        )
    pid = f"{os.getpid()}\n".encode()
    try:
        os.pwrite(lock, pid, 0)  # over that of a killed run: a full disk is found here
        os.ftruncate(lock, len(pid))
        os.fsync(lock)  # survives a power cut
    except OSError as error:
        os.close(lock)
        raise ValueError(
            f"the disk under {results} cannot be written ({error.strerror}): repair that, "
            "then run the same command again"
        ) from None
    _LOCKS.append(lock)


def mark_ended() -> None:
    """Mark the run as ended, in success or failure: it was not killed."""
    for lock in _LOCKS:
        os.ftruncate(lock, 0)


def was_killed(results: Path) -> bool:
    """Whether the last run of an idle folder was killed."""
    path = _path(results)
    return path.exists() and path.stat().st_size > 0


@contextlib.contextmanager
def idle(results: Path) -> Iterator[bool]:
    """Whether no run works in a results folder; if so, none can begin inside the block."""
    lock = _open(results)
    try:
        yield try_lock(lock)
    finally:
        os.close(lock)


def _path(results: Path) -> Path:
    return results / ".run.lock"


def _open(results: Path) -> int:
    results.mkdir(parents=True, exist_ok=True)
    return os.open(_path(results), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC)
