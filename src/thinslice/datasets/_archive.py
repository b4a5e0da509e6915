"""Archives of a data set: the wanted members only, each written beside and renamed.

A member that is there already, as long as the archive says, is left alone, so that a killed run is
gone on from. Names that lead out of the folder are refused; links and devices are never made.
"""

import gzip
import os
import shutil
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import IO, NamedTuple

from thinslice.formats.found import refused

BROKEN = (OSError, EOFError, ValueError, zlib.error, tarfile.TarError, zipfile.BadZipFile)
TARS = (".tar", ".tar.gz", ".tgz", ".tar.xz", ".tar.bz2")
AGAIN = "delete it and fetch it again"


class Member(NamedTuple):
    """One file inside an archive, open when asked."""

    name: str
    size: int
    is_file: bool
    open: Callable[[], IO[bytes] | None]


def unpack(archive: Path, into: Path, wanted: Callable[[str], bool]) -> list[Path]:
    """The members whose name ``wanted`` says yes to, below ``into``; their paths, in order.

    archive    a .zip, or a .tar, perhaps compressed

    Raises Refused for broken archives, for a wanted member that is not a plain file, and for a
    name that leads out of ``into``.
    """
    found = []
    try:
        for member in _members(archive):
            if not member.name.endswith("/") and wanted(member.name):
                found.append(_unpacked(archive, member, into))
    except BROKEN as error:
        raise _broken(archive, error) from error
    return found


def opens(path: Path, called: str) -> None:
    """Refused if a file whose name promises an archive or a gzip does not begin (zip: end) so."""
    try:
        if called.endswith((*TARS, ".zip")):
            next(_members(path, called), None)
        elif called.endswith(".gz"):
            with gzip.open(path) as file:
                file.read(1)
    except BROKEN as error:
        raise _broken(path, error) from error


def _broken(archive: Path, error: Exception) -> ValueError:
    found = f"a broken archive ({archive.stat().st_size} bytes: {error})"
    return refused(archive, found, "a whole one", AGAIN)


def _members(archive: Path, called: str | None = None) -> Iterator[Member]:
    name = called or archive.name
    if name.endswith(".zip"):
        with zipfile.ZipFile(archive) as zipped:
            for info in zipped.infolist():
                link = (info.external_attr >> 16) & 0o170000 == 0o120000
                plain = not info.is_dir() and not link
                yield Member(info.filename, info.file_size, plain, lambda i=info: zipped.open(i))
    elif name.endswith(TARS):
        with tarfile.open(archive) as tar:
            for info in tar:
                slash = "/" if info.isdir() else ""
                yield Member(
                    info.name + slash, info.size, info.isfile(), lambda i=info: tar.extractfile(i)
                )
    else:
        raise refused(archive, f"the name {name!r}", ".zip, .tar or .tar.gz", "is it an archive?")


def _unpacked(archive: Path, member: Member, into: Path) -> Path:
    path = PurePosixPath(member.name)
    if path.is_absolute() or ".." in path.parts or "\\" in member.name:
        found = f"the member {member.name!r}, which leads out of its folder"
        raise refused(archive, found, "names below it", "do not trust this archive")
    if not member.is_file:
        found = f"the member {member.name!r}, a link or a device"
        raise refused(archive, found, "a plain file", "do not trust this archive")
    target = into / path
    if not target.resolve().is_relative_to(into.resolve()):
        found = f"{target}, which a link leads out of {into}"
        raise refused(archive, found, "a folder of its own", "remove the link")
    if target.is_file() and target.stat().st_size == member.size:
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    _write(archive, member, target)
    return target


def _write(archive: Path, member: Member, target: Path) -> None:
    beside = target.with_name(f".{target.name}.{os.getpid()}.partial")
    source = member.open()
    assert source is not None  # a plain file
    try:
        with source, beside.open("wb") as out:
            shutil.copyfileobj(source, out, 1 << 20)
        if beside.stat().st_size != member.size:
            found = f"{beside.stat().st_size} bytes of {member.name}"
            raise refused(archive, found, f"{member.size}", AGAIN)
        os.replace(beside, target)
    finally:
        beside.unlink(missing_ok=True)
