"""Unpack a zipped scan into a temporary folder, removed when the block ends.

A scan that was read names the zip and its members, so that a writer that needs the files again (to
copy the patient) unpacks them again.
"""

import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import TypeVar

from thinslice.errors import Refused, in_one_line, refused
from thinslice.fs.hashing import sha256_of_file
from thinslice.io import sidecar
from thinslice.io.acquired import AcquiredScan
from thinslice.io.archive import sizes, unpack
from thinslice.io.folder import ZIP
from thinslice.io.scan import LoadedScan
from thinslice.workflow.scan_files import is_companion

Read = TypeVar("Read", bound=LoadedScan | AcquiredScan)
MOST_BYTES = 16 << 30  # unpacked: a whole-body study of several series
MOST_FILES = 100_000
TIMES = 200  # unpacked over packed: a scan is packed to a third, an empty one to a hundredth
SMALL_BYTES = 64 << 20  # below it any ratio is harmless


def is_zip(path: Path) -> bool:
    """Whether a file's name ends in .zip, in upper or lower case."""
    return path.name.lower().endswith(ZIP) and path.is_file()


@contextmanager
def unpacked(path: Path, members: Sequence[str] | None = None) -> Iterator[Path]:
    """A temporary folder with the files of a zip, or some members alone, during the block.

    Refused: a broken or encrypted zip, names that lead out of it, links, one name twice, more than
    ``MOST_BYTES`` or ``MOST_FILES``, more than ``TIMES`` its own size, more than fits onto the
    disk. Refusals raised in the block name the zip and the member, not the folder.
    """
    wanted = set(members) if members is not None else None
    with _temporary(path) as folder:
        with in_one_line(path):
            names = {name for name, _ in sizes(path)}
            chosen = {name for name in names if _is_wanted(name, wanted, names)}
            _bounded(path, folder, chosen)
            unpack(path, folder, chosen.__contains__)
        try:
            yield folder
        except Refused as error:
            raise Refused(str(error).replace(str(folder), str(path))) from error


@contextmanager
def files_of(scan: LoadedScan) -> Iterator[tuple[Path, ...]]:
    """The files of a scan; those of a zip are unpacked again, for the block.

    Refused if the zip has changed since it was read.
    """
    if not scan.members:
        yield scan.files
        return
    (path,) = scan.files
    with in_one_line(path):
        same = sha256_of_file(path) == scan.source["zip_sha256"]
    if not same:
        raise refused(path, "another zip by that name", "the one that was read", "read it again")
    with unpacked(path, tuple(scan.members)) as folder:
        yield tuple(folder / name for name in scan.members)


def from_zip(path: Path, folder: Path, scan: Read) -> Read:
    """A scan that was read from ``folder``, with the zip ``path`` as its source."""
    members = {file.relative_to(folder).as_posix(): sha256_of_file(file) for file in scan.files}
    source = {**scan.source, "zip": path.name, "zip_sha256": sha256_of_file(path)}
    return scan._replace(files=(path,), members=members, source=source)


@contextmanager
def _temporary(path: Path) -> Iterator[Path]:
    with in_one_line(path):
        temporary = tempfile.TemporaryDirectory(prefix="thinslice-zip-", ignore_cleanup_errors=True)
    with temporary as name:
        yield Path(name).resolve()


def _is_wanted(name: str, wanted: set[str] | None, names: set[str]) -> bool:
    if wanted is not None:
        return name in wanted
    parts = [part for part in PurePosixPath(name).parts if part != ".."]
    if parts and is_companion(parts[-1]) and sidecar.is_of(name, names):
        parts.pop()
    return not any(is_companion(part) for part in parts)


def _bounded(path: Path, folder: Path, chosen: set[str]) -> None:
    """Refuse a zip that would unpack to too much; no member grows beyond its stated size."""
    inside = [(name, size) for name, size in sizes(path) if name in chosen]
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
