"""One GPU, one job: a lock per device that the kernel releases when its holder dies.

Jobs that run at once each lock the file of one device. Nothing needs tidying after kill -9: the
lock is on the open file, not the file's existence.
"""

import fcntl
import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

LOG = logging.getLogger(__name__)
POLL_S = 0.2
SAY_EVERY_S = 30.0


@contextmanager
def claim(names: Sequence[str], folder: Path, *, patience_s: float | None = None) -> Iterator[int]:
    """Hold one of the devices ``names``; yields its index. Waits while others hold them all.

    ValueError without devices; TimeoutError after ``patience_s`` seconds, if given.
    """
    if not names:
        raise ValueError("no GPU to claim: the list of devices is empty")
    folder.mkdir(parents=True, exist_ok=True)
    begun = said = time.monotonic()
    while (held := _first_free(names, folder)) is None:
        now = time.monotonic()
        if patience_s is not None and now - begun > patience_s:
            raise TimeoutError(f"all GPUs ({', '.join(names)}) stayed taken for {patience_s:g} s")
        if now - said > SAY_EVERY_S:
            said = now
            LOG.warning("all GPUs (%s) are taken by other jobs: waiting", ", ".join(names))
        time.sleep(POLL_S)
    index, file = held
    with file:  # closing releases the lock
        yield index


def _first_free(names: Sequence[str], folder: Path) -> tuple[int, TextIO] | None:
    for index, name in enumerate(names):
        file = open(folder / f"{name.replace('/', '_')}.lock", "w")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            continue
        return index, file
    return None
