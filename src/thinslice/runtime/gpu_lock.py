"""Lock GPUs, so that jobs running at once never get the same device.

One lock file per device, released by the kernel when its holder dies: nothing to clean up after
kill -9. A job that needs several devices takes all of them at once or none, and only one job
chooses at a time, so that two jobs never wait for each other.
"""

import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TextIO

from thinslice.fs.locks import try_lock, wait_lock

LOG = logging.getLogger(__name__)
POLL_S = 0.2
LOG_EVERY_S = 30.0


@contextmanager
def claim(
    names: Sequence[str], folder: Path, count: int = 1, *, patience_s: float | None = None
) -> Iterator[list[int]]:
    """Lock ``count`` of the devices ``names``, waiting for free ones; yields their indices.

    ValueError if there are fewer; TimeoutError after ``patience_s`` seconds, if given.
    """
    if not 1 <= count <= len(names):
        raise ValueError(f"{count} GPUs to claim of {len(names)}: {', '.join(names) or 'none'}")
    folder.mkdir(parents=True, exist_ok=True)
    start = logged = time.monotonic()
    while (taken := _take(names, folder, count)) is None:
        now = time.monotonic()
        if patience_s is not None and now - start > patience_s:
            raise TimeoutError(
                f"GPUs ({', '.join(names)}) were in use by other jobs for {patience_s:g} s"
            )
        if now - logged > LOG_EVERY_S:
            logged = now
            LOG.warning(
                "GPUs (%s) are taken by other jobs: waiting for %d", ", ".join(names), count
            )
        time.sleep(POLL_S)
    indices, locks = taken
    with locks:  # closing releases them
        yield indices


def _take(names: Sequence[str], folder: Path, count: int) -> tuple[list[int], ExitStack] | None:
    """The first ``count`` devices that are free, locked; None, and none locked, if too few are."""
    indices: list[int] = []
    with ExitStack() as locks, open(folder / "choosing", "w") as gate:
        wait_lock(gate)  # for an instant
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
    if try_lock(file):
        return file
    file.close()
    return None
