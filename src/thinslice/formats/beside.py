"""Putting a file or a folder into its place whole: written beside it, then renamed.

Whatever happens on the way (an exception, Ctrl-C, a kill, a full disk), the place holds what was
there before, or nothing, or all of the new. What is being written lies in a hidden folder beside
the place, under a lock of the kernel: one without its writer is known by it and cleared by the
next writer.
"""

import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from thinslice.formats.found import refused

LONG = 200  # bytes; file systems take 255


@contextmanager
def beside(out: Path) -> Iterator[Path]:
    """A path to make a file or a folder at; on a clean exit of the block it stands at ``out``.

    What stood at ``out`` before is replaced: ask ``free`` first.
    """
    out = Path(out).absolute()
    with folder_of(out):
        yield from _held(out)


@contextmanager
def folder_of(out: Path) -> Iterator[None]:
    """The folder that ``out`` goes into, made if need be; taken back if the block fails."""
    parents = Path(out).absolute().parents
    missing = [folder for folder in parents if not os.path.lexists(folder)]
    try:
        parents[0].mkdir(parents=True, exist_ok=True)
        yield
    except BaseException:
        for folder in missing:  # the innermost first
            with suppress(OSError):
                folder.rmdir()
        raise


def _held(out: Path) -> Iterator[Path]:
    _clear(out)
    held = Path(tempfile.mkdtemp(prefix=_prefix(out), dir=out.parent))
    lock = os.open(held, os.O_RDONLY)
    try:
        with suppress(OSError):  # a file system without locks: then nobody clears by them either
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        new = held / out.name
        yield new
        _onto_the_disk(new)
        if out.is_dir() and not out.is_symlink():
            os.rename(out, held / "before")
        os.replace(new, out)
        _sync(out.parent)
    finally:
        shutil.rmtree(held, ignore_errors=True)
        os.close(lock)


def free(out: Path, *, overwrite: bool, ours: str, source: Sequence[Path] = ()) -> None:
    """Refuse a place that is taken: by anything, or with ``overwrite`` by what is not like it.

    ours      pattern of the names in a folder that may be overwritten; "" where ``out`` is a file
    source    files that are never overwritten, nor a folder that holds one of them
    """
    place, own = _real(out), [_real(file) for file in source]
    if any(place == file or place in file.parents for file in own):
        raise refused(out, "the scan that was read", "another place", "choose another name")
    above = next(folder for folder in out.absolute().parents if os.path.lexists(folder))
    if not above.is_dir():
        raise refused(out, f"{above}, which is no folder", "a folder", "choose another name")
    taken = os.path.lexists(out)
    if not taken or (ours and _empty_folder(out)):
        return
    if not overwrite:
        raise refused(out, "something there already", "a new name", "choose one, or overwrite it")
    if bool(ours) != (out.is_dir() and not out.is_symlink()):
        kind = "a folder" if out.is_dir() else "a file"
        raise refused(out, kind, "a folder" if ours else "a file", "choose another name")
    foreign = sorted(p.name for p in out.iterdir() if not p.match(ours)) if ours else []
    if foreign:
        found = f"a folder that holds {foreign[0]} ({len(foreign)} such)"
        raise refused(out, found, f"{ours} alone, to overwrite it", "choose another name")


def _real(path: Path) -> Path:
    """Without links; where they run in a circle, as far as they lead."""
    return Path(os.path.realpath(path))


def _prefix(out: Path) -> str:
    """Of a long name its beginning and a hash, so that a name that fits has one beside it."""
    name, digest = out.name, hashlib.sha256(os.fsencode(out.name)).hexdigest()[:16]
    return f".{name if len(os.fsencode(name)) <= LONG else name[: LONG // 8] + digest}.partial-"


def _empty_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink() and not any(path.iterdir())


def _clear(out: Path) -> None:
    """Remove what writers left that died: nobody holds its lock."""
    for left in out.parent.glob(f"{_prefix(out).replace('[', '[[]')}*"):
        with suppress(OSError):
            descriptor = os.open(left, os.O_RDONLY | os.O_DIRECTORY)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(left)
            finally:
                os.close(descriptor)


def _onto_the_disk(new: Path) -> None:
    for file in sorted(new.iterdir()) if new.is_dir() else []:
        _sync(file)
    _sync(new)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
