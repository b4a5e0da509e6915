"""Replace a store atomically: write a partial folder beside it, then rename it.

Whatever interrupts it (an exception, a kill, a full disk), ``path`` holds the older store, or
nothing, or the new one: never a part. The partial folder is named after its host and process, by
which readers, the cleaning job and writers on other machines recognise it; not every shared disk
has locks.
"""

import json
import os
import re
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from thinslice.errors import is_of_full_disk
from thinslice.fs.atomic import sync
from thinslice.store import hashes, whole_cases
from thinslice.store.layout import OURS, StoreError

MARK = ".partial-"  # in the name of every folder that is not, or no longer, a store in its place


@contextmanager
def placed(path: Path, key: str | None = None) -> Iterator[Path]:
    """A folder to write into; on a clean exit of the block it becomes ``path``.

    An older store there is replaced, any other folder refused with StoreError.

    key    name of all that the cases rest on: whole cases that a killed or failed writer of the
           same key left on this machine are in the folder (``whole_cases.read``), and those of
           this writer stay if it fails, but not on a full disk, which needs their space; None:
           nothing is taken over, nothing left
    """
    path = Path(path).absolute()
    refuse_foreign(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}{MARK}{socket.gethostname()}-{os.getpid()}")
    _set_aside(partial)
    stale = _stale(path)
    partial.mkdir()
    try:
        for folder in map(_out_of_reach, stale):
            if key is not None:
                whole_cases.take_over(folder, partial, key)
            shutil.rmtree(folder)
        yield partial
        _into_place(partial, path)
    except BaseException as error:
        if key is None or is_of_full_disk(error) or not whole_cases.read(partial, key):
            shutil.rmtree(partial, ignore_errors=True)
        raise


def refuse_foreign(path: Path) -> None:
    """StoreError if anything but a store, complete or damaged, is at ``path``."""
    if not path.exists() and not path.is_symlink():
        return
    if path.is_dir() and not path.is_symlink():
        names = {entry.name for entry in path.iterdir()}
        if not names - set(hashes.IGNORED) or _is_ours(path / "zarr.json"):
            return
    raise StoreError(f"{path}: exists and is not a thinslice store; move it away, nothing is lost")


def _is_ours(root: Path) -> bool:
    try:
        return OURS in json.loads(root.read_bytes())["attributes"]
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _set_aside(partial: Path) -> None:
    """Rename what an earlier writer of this very process left."""
    if partial.exists():
        aside = partial.with_name(f"{partial.name}-old")
        shutil.rmtree(aside, ignore_errors=True)
        os.rename(partial, aside)


def _out_of_reach(stale: Path) -> Path:
    """Rename a leftover, so that a worker of a cluster that outlived its job writes into it no
    more: what it still writes under the old name has no root, and is never whole."""
    if stale.name.endswith("-old"):
        return stale
    aside = stale.with_name(f"{stale.name}-old")
    os.rename(stale, aside)
    return aside


def _stale(path: Path) -> list[Path]:
    """Leftovers of writers that died on this machine, "-old" ones before the others of a process;
    those of other machines may be alive."""
    mine = re.compile(re.escape(f"{path.name}{MARK}{socket.gethostname()}-") + r"(\d+)(-old)?")
    matches = [(entry, mine.fullmatch(entry.name)) for entry in sorted(path.parent.iterdir())[::-1]]
    return [
        entry
        for entry, match in matches
        if match and (int(match[1]) == os.getpid() or not _alive(int(match[1])))
    ]


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return not _unreaped(pid)


def _unreaped(pid: int) -> bool:
    """Whether a process is a zombie, as after kill -9 of it and its parent."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:  # no /proc, or the entry went away meanwhile
        return False
    return stat.rpartition(")")[2].split()[:1] == ["Z"]


def _into_place(partial: Path, path: Path) -> None:
    """Two renames: at every moment ``path`` is the old store, nothing, or the new one."""
    old = partial.with_name(f"{partial.name}-old")
    if path.exists():
        os.rename(path, old)
    try:
        os.rename(partial, path)
    except BaseException:
        if old.exists():
            os.rename(old, path)
        raise
    sync(path.parent)
    shutil.rmtree(old, ignore_errors=True)
