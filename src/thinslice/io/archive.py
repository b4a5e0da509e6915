"""Unpack archives safely: the wanted members only, each replaced atomically.

A member that is already there with the size that the archive states is left alone, so that a killed
run resumes. Names that lead out of the folder are refused; links and devices are never made.
"""

import gzip
import lzma
import shutil
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import IO, NamedTuple

from thinslice.errors import Refused, refused
from thinslice.fs.atomic import replacing

BROKEN = (
    OSError,
    EOFError,
    ValueError,
    NotImplementedError,  # a compression that zipfile does not know
    zlib.error,
    lzma.LZMAError,
    tarfile.TarError,
    zipfile.BadZipFile,
)
ENCRYPTED = 1  # bit of a zip member's flags
TARS = (".tar", ".tar.gz", ".tgz", ".tar.xz", ".tar.bz2")
AGAIN = "delete it and fetch it again"


class Member(NamedTuple):
    """One file inside an archive, open when asked."""

    name: str
    size: int
    is_file: bool
    encrypted: bool
    open: Callable[[], IO[bytes] | None]


def sizes(archive: Path) -> list[tuple[str, int]]:
    """Names and unpacked sizes, in bytes, of what is no folder; nothing is unpacked."""
    try:
        members = _members(archive)
        return [(member.name, member.size) for member in members if not member.name.endswith("/")]
    except BROKEN as error:
        raise _broken(archive, error) from error


def unpack(archive: Path, into: Path, wanted: Callable[[str], bool]) -> list[Path]:
    """The members whose name ``wanted`` says yes to, below ``into``; their paths, in order.

    archive    a .zip, or a .tar, perhaps compressed

    Raises Refused for broken archives, for a wanted member that is encrypted or not a plain file,
    and for a name that leads out of ``into``. No member is ever longer than the archive says.
    """
    found = []
    try:
        for member in _members(archive):
            if not member.name.endswith("/") and wanted(member.name):
                found.append(_unpacked(archive, member, into))
    except Refused:
        raise
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
    except Refused:
        raise
    except BROKEN as error:
        raise _broken(path, error) from error


def _broken(archive: Path, error: Exception) -> ValueError:
    found = f"a broken archive ({archive.stat().st_size} bytes: {error})"
    return refused(archive, found, "a whole one", AGAIN)


def _members(archive: Path, called: str | None = None) -> Iterator[Member]:
    name = (called or archive.name).lower()
    if name.endswith(".zip"):
        with zipfile.ZipFile(archive) as zipped:
            for info in zipped.infolist():
                link = (info.external_attr >> 16) & 0o170000 == 0o120000
                plain = not info.is_dir() and not link
                secret = bool(info.flag_bits & ENCRYPTED)
                yield Member(
                    info.filename, info.file_size, plain, secret, lambda i=info: zipped.open(i)
                )
    elif name.endswith(TARS):
        with tarfile.open(archive) as tar:
            for info in tar:
                slash = "/" if info.isdir() else ""
                plain = info.isfile()
                yield Member(
                    info.name + slash, info.size, plain, False, lambda i=info: tar.extractfile(i)
                )
    else:
        raise refused(archive, f"the name {name!r}", ".zip, .tar or .tar.gz", "is it an archive?")


def _unpacked(archive: Path, member: Member, into: Path) -> Path:
    path = PurePosixPath(member.name)
    if path.is_absolute() or ".." in path.parts or "\\" in member.name:
        found = f"the member {member.name!r}, which leads out of its folder"
        raise refused(archive, found, "names below it", "do not trust this archive")
    if member.encrypted:
        found = f"the member {member.name!r}, which is encrypted"
        raise refused(archive, found, "an archive without a password", "unpack it yourself")
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
    source = member.open()
    assert source is not None  # a plain file
    with source, replacing(target) as temporary:
        with temporary.open("wb") as out:
            shutil.copyfileobj(source, out, 1 << 20)
        if (size := temporary.stat().st_size) != member.size:
            raise refused(archive, f"{size} bytes of {member.name}", f"{member.size}", AGAIN)
