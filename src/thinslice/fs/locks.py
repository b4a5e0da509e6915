"""File locks of the kernel (flock): released when their holder dies, however it dies."""

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO

try:
    import fcntl
except ImportError:  # Windows: nothing is locked, and the workflow refuses to run there
    fcntl = None


def available() -> bool:
    """Whether this system has such locks."""
    return fcntl is not None


def try_lock(file: int | IO) -> bool:
    """Lock an open file or folder, unless another holder has it; whether it is locked now."""
    if fcntl is None:
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def wait_lock(file: int | IO, message: str | None = None) -> bool:
    """Lock an open file or folder, waiting for another holder; whether it had to wait.

    message   printed to stderr before waiting
    """
    if try_lock(file):
        return False
    if message:
        print(message, file=sys.stderr, flush=True)
    if fcntl is not None:
        fcntl.flock(file, fcntl.LOCK_EX)
    return True


def folder_to_lock(folder: Path) -> int:
    """A descriptor of a folder, for ``try_lock``; where folders cannot be opened, of nothing."""
    return (
        os.open(folder, os.O_RDONLY | os.O_DIRECTORY) if fcntl else os.open(os.devnull, os.O_RDONLY)
    )


def is_at(file: int | IO, path: Path) -> bool:
    """Whether an open file or folder is still the one at ``path``: neither renamed nor removed.

    True where nothing can be locked.
    """
    if fcntl is None:
        return True
    descriptor = file if isinstance(file, int) else file.fileno()
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(path))
    except FileNotFoundError:
        return False


@contextlib.contextmanager
def locked(path: Path) -> Iterator[bool]:
    """Hold the lock of a result during the block; yields whether another job was writing it.

    The lock is a hidden file beside ``path``.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with _lock_file(path).open("w") as lock:
        yield wait_lock(lock, f"waiting: another job is writing {path}")


def is_locked(path: Path) -> bool:
    """Whether a job holds the lock of a result now."""
    if not _lock_file(path).exists():
        return False
    with _lock_file(path).open() as lock:
        return not try_lock(lock)


def _lock_file(path: Path) -> Path:
    return path.with_name(f".{path.name}.lock")
