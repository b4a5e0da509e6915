"""One driver per results folder: a lock the kernel releases when its holder dies.

Snakemake's own lock outlives a killed driver and must be lifted by hand; the profile switches it
off and this one stands in, so that the same command goes on after a kill -9. Standard library only.
"""

import fcntl
import os
from pathlib import Path

_HELD: list[int] = []  # open for the life of the process


def hold(results: str) -> None:
    """Take the lock of a results folder; SystemExit with one line if another driver has it."""
    Path(results).mkdir(parents=True, exist_ok=True)
    path = Path(results) / ".run.lock"
    lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.read(lock, 64).decode(errors="replace").strip() or "unknown"
        raise SystemExit(
            f"{path}: another thinslice run (process {holder}) is working in this folder; wait for "
            "it, or stop it"
        ) from None
    os.ftruncate(lock, 0)
    os.write(lock, f"{os.getpid()}\n".encode())
    _HELD.append(lock)
