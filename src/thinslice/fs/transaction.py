"""Putting a file or a folder into its place whole: written beside it, then renamed.

Whatever happens on the way (an exception, Ctrl-C, a kill, a full disk), the place holds what was
there before, or nothing, or all of the new. What is being written lies in a hidden folder beside
the place, under a lock of the kernel: one without its writer is known by it and cleared by the
next writer. Where all was written and the kill fell between two renames, the others are made up
for (``go_on``): neither the old nor the new is lost.
"""

import fcntl
import glob
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from thinslice.errors import refused

LONG = 200  # bytes; file systems take 255
BEFORE = " before"  # in the hidden folder, what stood in the places; there once all is written


@contextmanager
def beside(out: Path) -> Iterator[Path]:
    """A path to make a file or a folder at; on a clean exit of the block it stands at ``out``.

    Files made next to it whose names begin with its name go next to ``out``, which is renamed into
    its place last and out of it first: where it stands, they are its own. What stood in these
    places before is replaced: ask ``free`` first.
    """
    out = real_place(out)
    with folder_of(out):
        yield from _held(out)


def real_place(out: Path | str) -> Path:
    """The place that ``out`` names, by a path that stays true while ``out`` itself is moved away.

    Without ``..`` and without links, but for the last: a link is a place of its own.
    """
    out = Path(out).absolute()
    return _real(out) if out.name == ".." else _real(out.parent) / out.name


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


def go_on(out: Path) -> bool:
    """Make the renames that a killed writer of ``out`` still had to make; whether there were any.

    What was left by one that was killed sooner, or by one that has been overtaken, is removed.
    """
    out = real_place(out)
    left = sorted(out.parent.glob(f"{glob.escape(_prefix(out))}*"))
    return any([_settled(held, out) for held in left])


def standing(out: Path) -> tuple[int, int] | None:
    """What stands there, to be told from what stands there later."""
    try:
        found = os.lstat(out)
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns


def _held(out: Path) -> Iterator[Path]:
    go_on(out)
    held = Path(tempfile.mkdtemp(prefix=_prefix(out), dir=out.parent))
    lock = os.open(held, os.O_RDONLY)
    try:
        with suppress(OSError):  # a file system without locks: then nobody clears by them either
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield held / out.name
        names = _new(held, out)
        for name in names:
            _onto_the_disk(held / name)
        (held / BEFORE).mkdir()
        _sync(held)
        try:
            _into_place(held, out, names)
        except BaseException:
            _out_again(held, out, names)
            raise
        _sync(out.parent)
    finally:
        _remove(held, out)
        os.close(lock)


def _new(held: Path, out: Path) -> list[str]:
    """What goes into place, ``out`` last."""
    names = {path.name for path in held.iterdir() if path.name.startswith(out.name)}
    return [*sorted(names - {out.name, BEFORE}), out.name]


def _into_place(held: Path, out: Path, names: Sequence[str]) -> None:
    if len(names) > 1 or (out.is_dir() and not out.is_symlink()):  # else one rename does it
        for name in reversed(names):
            if os.path.lexists(out.parent / name):
                os.rename(out.parent / name, held / BEFORE / name)
    for name in names:
        os.replace(held / name, out.parent / name)


def _out_again(held: Path, out: Path, names: Sequence[str]) -> None:
    """All as it was, unless all of the new stands."""
    if not os.path.lexists(held / out.name):
        return
    for name in names:
        if not os.path.lexists(held / name):
            os.replace(out.parent / name, held / name)
    for name in names:
        if os.path.lexists(held / BEFORE / name):
            os.replace(held / BEFORE / name, out.parent / name)


def _settled(held: Path, out: Path) -> bool:
    """One folder, if nobody holds it: gone on with, if it was due and nothing is in its place."""
    due = False
    with suppress(OSError):
        lock = os.open(held, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            written = (held / BEFORE).is_dir() and os.path.lexists(held / out.name)
            due = written and not os.path.lexists(out)
            if due:
                _into_place(held, out, _new(held, out))
                _sync(out.parent)
            _remove(held, out)
        finally:
            os.close(lock)
    return due


def _remove(held: Path, out: Path) -> None:
    """Unless it holds what stood there, and the new as well: neither is in its place."""
    if not all(os.path.lexists(place / out.name) for place in (held, held / BEFORE)):
        shutil.rmtree(held, ignore_errors=True)


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
