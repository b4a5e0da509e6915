"""Scans in a zip, as mail and archives hand them out: unpacked into a temporary folder.

The folder is gone when the block ends. What is read names the zip and the members in it, so that
those who need the files again later (a writer that copies the patient) unpack them again.
"""

import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from thinslice.errors import Refused, in_one_line, refused
from thinslice.fs.hashing import sha256_of_file
from thinslice.io.archive import sizes, unpack
from thinslice.io.dicom.headers import is_companion
from thinslice.io.folder import ZIP
from thinslice.io.scan import LoadedScan

MOST_BYTES = 16 << 30  # unpacked: a whole-body study of several series
MOST_FILES = 100_000
TIMES = 200  # unpacked over packed: a scan is packed to a third, an empty one to a hundredth
SMALL_BYTES = 64 << 20  # below it any ratio is harmless


def is_zip(path: Path) -> bool:
    """By its name, in any case."""
    return path.name.lower().endswith(ZIP) and path.is_file()


@contextmanager
def unpacked(path: Path, members: Sequence[str] | None = None) -> Iterator[Path]:
    """A temporary folder with what the zip holds, or these members alone, while the block runs.

    Refused: a broken or encrypted zip, names that lead out of it, links, one name twice, more than
    ``MOST_BYTES`` or ``MOST_FILES``, more than ``TIMES`` its own size, more than fits onto the
    disk. Refusals raised in the block name the zip and the member, not the folder.
    """
    wanted = set(members) if members is not None else None
    with _temporary(path) as folder:
        with in_one_line(path):
            _bounded(path, folder, wanted)
            unpack(path, folder, lambda name: _is_wanted(name, wanted))
        try:
            yield folder
        except Refused as error:
            raise Refused(str(error).replace(str(folder), str(path))) from error


@contextmanager
def files_of(found: LoadedScan) -> Iterator[tuple[Path, ...]]:
    """The scan's own files; of a zip they are unpacked again, while the block runs.

    Refused if the zip is not the one that was read any more.
    """
    if not found.members:
        yield found.files
        return
    (path,) = found.files
    with in_one_line(path):
        same = sha256_of_file(path) == found.source["zip_sha256"]
    if not same:
        raise refused(path, "another zip by that name", "the one that was read", "read it again")
    with unpacked(path, tuple(found.members)) as folder:
        yield tuple(folder / name for name in found.members)


def told(path: Path, folder: Path, found: LoadedScan) -> LoadedScan:
    """A scan read from ``folder``, as one read from the zip."""
    members = {file.relative_to(folder).as_posix(): sha256_of_file(file) for file in found.files}
    source = {**found.source, "zip": path.name, "zip_sha256": sha256_of_file(path)}
    return found._replace(files=(path,), members=members, source=source)


@contextmanager
def _temporary(path: Path) -> Iterator[Path]:
    with in_one_line(path):
        held = tempfile.TemporaryDirectory(prefix="thinslice-zip-", ignore_cleanup_errors=True)
    with held as name:
        yield Path(name).resolve()


def _is_wanted(name: str, wanted: set[str] | None) -> bool:
    if wanted is not None:
        return name in wanted
    return not any(is_companion(part) for part in PurePosixPath(name).parts if part != "..")


def _bounded(path: Path, folder: Path, wanted: set[str] | None) -> None:
    """Refuse what is too much, by what the zip says of itself: no member becomes longer."""
    inside = [(name, size) for name, size in sizes(path) if _is_wanted(name, wanted)]
    twice = [name for name, n in Counter(name for name, _ in inside).items() if n > 1]
    if twice:
        found = f"the member {twice[0]!r} more than once"
        raise refused(path, found, "each name once", "do not trust this archive")
    if not inside:
        raise refused(path, "no file that could be a scan", "a scan", "is it the right zip?")
    if len(inside) > MOST_FILES:
        advice = "unpack it yourself"
        raise refused(path, f"{len(inside)} files", f"at most {MOST_FILES}", advice)
    total, packed = sum(size for _, size in inside), path.stat().st_size
    room = shutil.disk_usage(folder).free
    most = min(MOST_BYTES, room, max(SMALL_BYTES, TIMES * packed))
    if total > most:
        found = (
            f"{total} bytes when unpacked ({packed} bytes packed, {room} free in {folder.parent})"
        )
        expected = f"at most {most}"
        raise refused(
            path, found, expected, "if you trust it, unpack it yourself where there is room"
        )
