"""Replace a file or a folder together with its companions: all of them, or none.

Whatever interrupts it (an exception, Ctrl-C, a kill, a full disk), the destination holds what it
held before, or nothing, or all of the new. New content is written in a hidden folder beside the
destination, the staging folder, which its writer locks: an unlocked one was left by a killed
writer and is removed by the next. Where all was written and the kill fell between two renames,
``finish_interrupted`` makes the remaining ones: neither the old nor the new content is lost.
"""

import glob
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from thinslice.errors import refused
from thinslice.fs.atomic import sync
from thinslice.fs.locks import folder_to_lock, try_lock

LONG = 200  # bytes; file systems take 255
BEFORE = " before"  # in the staging folder: the content replaced; made once all is written


@contextmanager
def replacing(out: Path) -> Iterator[Path]:
    """A temporary path to make a file or a folder at; on a clean exit of the block it is ``out``.

    Companions, files made next to it whose names begin with its name, go next to ``out``. ``out``
    is renamed into place last, and away first: where it exists, its companions are its own. What
    was there is replaced without asking: see ``refuse_taken``.
    """
    out = resolve(out)
    with parent_made(out):
        yield from _staged(out)


def resolve(out: Path | str) -> Path:
    """The destination that ``out`` names, by a path that stays true while ``out`` is moved away.

    Without ``..`` and without links, except the last part: a link is a destination itself.
    """
    out = Path(out).absolute()
    return _real(out) if out.name == ".." else _real(out.parent) / out.name


@contextmanager
def parent_made(out: Path) -> Iterator[None]:
    """Make the folder that ``out`` goes into; remove it again if the block fails."""
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


def finish_interrupted(out: Path) -> bool:
    """Make the renames that a killed writer of ``out`` had left to make; whether there were any.

    Leftovers of writers that were killed earlier, or replaced meanwhile, are removed.
    """
    out = resolve(out)
    leftovers = sorted(out.parent.glob(f"{glob.escape(_prefix(out))}*"))
    return any([_finish(staging, out) for staging in leftovers])


def fingerprint(out: Path) -> tuple[int, int] | None:
    """Inode and time of change of what is at ``out``; None where nothing is."""
    try:
        stat = os.lstat(out)
    except OSError:
        return None
    return stat.st_ino, stat.st_mtime_ns


def _staged(out: Path) -> Iterator[Path]:
    finish_interrupted(out)
    staging = Path(tempfile.mkdtemp(prefix=_prefix(out), dir=out.parent))
    lock = folder_to_lock(staging)
    try:
        with suppress(OSError):  # a file system without locks: leftovers stay
            try_lock(lock)
        yield staging / out.name
        names = _new_names(staging, out)
        for name in names:
            _sync_content(staging / name)
        (staging / BEFORE).mkdir()
        sync(staging)
        try:
            _move_in(staging, out, names)
        except BaseException:
            _move_back(staging, out, names)
            raise
        sync(out.parent)
    finally:
        _remove(staging, out)
        os.close(lock)


def _new_names(staging: Path, out: Path) -> list[str]:
    """Names of the new content, that of ``out`` last."""
    names = {path.name for path in staging.iterdir() if path.name.startswith(out.name)}
    return [*sorted(names - {out.name, BEFORE}), out.name]


def _move_in(staging: Path, out: Path, names: Sequence[str]) -> None:
    if len(names) > 1 or (out.is_dir() and not out.is_symlink()):  # else one rename does it
        for name in reversed(names):
            if os.path.lexists(out.parent / name):
                os.rename(out.parent / name, staging / BEFORE / name)
    for name in names:
        os.replace(staging / name, out.parent / name)


def _move_back(staging: Path, out: Path, names: Sequence[str]) -> None:
    """Restore the content from before, unless all of the new is in place."""
    if not os.path.lexists(staging / out.name):
        return
    for name in names:
        if not os.path.lexists(staging / name):
            os.replace(out.parent / name, staging / name)
    for name in names:
        if os.path.lexists(staging / BEFORE / name):
            os.replace(staging / BEFORE / name, out.parent / name)


def _finish(staging: Path, out: Path) -> bool:
    """Finish or remove one staging folder, unless its writer is alive; whether it was finished."""
    unfinished = False
    with suppress(OSError):
        lock = folder_to_lock(staging)
        try:
            if not try_lock(lock):
                return False
            written = (staging / BEFORE).is_dir() and os.path.lexists(staging / out.name)
            unfinished = written and not os.path.lexists(out)
            if unfinished:
                _move_in(staging, out, _new_names(staging, out))
                sync(out.parent)
            _remove(staging, out)
        finally:
            os.close(lock)
    return unfinished


def _remove(staging: Path, out: Path) -> None:
    """Remove a staging folder, unless it holds the old and the new content: neither is in place."""
    if not all(os.path.lexists(folder / out.name) for folder in (staging, staging / BEFORE)):
        shutil.rmtree(staging, ignore_errors=True)


def refuse_taken(out: Path, *, overwrite: bool, ours: str, source: Sequence[Path] = ()) -> None:
    """Refuse a destination that is taken: by anything, or with ``overwrite`` by unlike content.

    ours      pattern of the names in a folder that may be overwritten; "" where ``out`` is a file
    source    files that are never overwritten, nor a folder that holds one of them
    """
    destination, files = _real(out), [_real(file) for file in source]
    if any(destination == file or destination in file.parents for file in files):
        raise refused(out, "the scan that was read", "another place", "choose another name")
    above = next(folder for folder in out.absolute().parents if os.path.lexists(folder))
    if not above.is_dir():
        raise refused(out, f"{above}, which is no folder", "a folder", "choose another name")
    if not os.path.lexists(out) or (ours and _is_empty_folder(out)):
        return
    if not overwrite:
        raise refused(
            out, "something there already", "a new name", "choose one, or add --overwrite"
        )
    if bool(ours) != (out.is_dir() and not out.is_symlink()):
        kind = "a folder" if out.is_dir() else "a file"
        raise refused(out, kind, "a folder" if ours else "a file", "choose another name")
    foreign = sorted(p.name for p in out.iterdir() if not p.match(ours)) if ours else []
    if foreign:
        found = f"a folder that holds {foreign[0]} ({len(foreign)} such)"
        raise refused(out, found, f"{ours} alone, to overwrite it", "choose another name")


def holds_something(out: Path) -> bool:
    """Whether there is anything at ``out`` but an empty folder."""
    return os.path.lexists(out) and not _is_empty_folder(out)


def _real(path: Path) -> Path:
    """Without links; where they run in a circle, as far as they lead."""
    return Path(os.path.realpath(path))


def _prefix(out: Path) -> str:
    """Begin the names of staging folders of ``out``; a long name is cut and hashed, to fit."""
    name, digest = out.name, hashlib.sha256(os.fsencode(out.name)).hexdigest()[:16]
    return f".{name if len(os.fsencode(name)) <= LONG else name[: LONG // 8] + digest}.partial-"


def _is_empty_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink() and not any(path.iterdir())


def _sync_content(new: Path) -> None:
    for file in sorted(new.iterdir()) if new.is_dir() else []:
        sync(file)
    sync(new)
