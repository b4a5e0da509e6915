"""Download the files of a data set: resumable, and verified by size and checksum.

A file is written as ``<name>.part`` and renamed once its size and its checksum are right. Where the
publisher gives no checksum, the first download is hashed into ``raw/checksums.json`` and every
later one must be equal to it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from urllib.parse import quote, unquote, urlsplit

from thinslice.download.checksums import Checksums, digest_of
from thinslice.download.partial_file import Part
from thinslice.download.progress import say
from thinslice.download.transfer import BY_HAND, Patience, copy, download
from thinslice.errors import Refused, refused
from thinslice.io.archive import opens


@dataclass(frozen=True)
class Remote:
    """One file of a published data set.

    url       address at the publisher; "" where it must be downloaded by hand (registration)
    name      its path below the raw folder, and below a mirror
    size      bytes, if the publisher states them
    sha256    published; None: recorded on the first download and enforced from then on
    md5       for publishers that give nothing else
    """

    url: str
    name: str
    size: int | None = None
    sha256: str | None = None
    md5: str | None = None

    def __post_init__(self) -> None:
        path = PurePosixPath(self.name)
        if not path.parts or path.is_absolute() or ".." in path.parts:
            raise ValueError(f"a remote's name is a path below the raw folder: {self.name!r}")


def fetch(
    remotes: Sequence[Remote],
    raw: Path,
    mirror: str | None = None,
    *,
    patience: Patience = Patience(),  # noqa: B008 - frozen
    checksums: str = "checksums.json",
) -> list[Path]:
    """Download every remote to a verified file below ``raw``; their paths, in order.

    mirror      a folder, or a file: or http(s): URL, tried before the publisher: first its part
                with the name of ``raw``'s folder, as in a copy of it, then itself
    patience    how often and how long to try
    checksums   path below ``raw`` of those recorded: one each for parts of a set of many files

    Verified files are left alone. Refused for a file that cannot be downloaded, with what to do,
    and for wrong bytes, with both checksums; wrong bytes are discarded, but a file that was there
    before is left for inspection.
    """
    raw.mkdir(parents=True, exist_ok=True)
    record = Checksums(raw / checksums)
    return [_fetch_file(remote, raw, mirror, record, patience) for remote in remotes]


def fetch_list(
    remote: Remote,
    raw: Path,
    mirror: str | None = None,
    *,
    patience: Patience = Patience(),  # noqa: B008 - frozen
) -> Path:
    """Download a publisher's list of files once; it changes with every download: no checksum."""
    target = raw / remote.name
    if not target.is_file():
        with Part(target) as part:
            _from_mirror_or_publisher(remote, raw, part, mirror, patience)
            part.finish()
    return target


def _fetch_file(
    remote: Remote, raw: Path, mirror: str | None, record: Checksums, patience: Patience
) -> Path:
    target = raw / remote.name
    if remote.sha256 is None:  # a recorded checksum counts as a published one
        remote = replace(remote, sha256=record.sha256(remote.name))
    if target.is_file():
        _check_existing(remote, target, record)
        return target
    with Part(target) as part:
        if target.is_file():  # another process was faster
            _check_existing(remote, target, record)
            return target
        _from_mirror_or_publisher(remote, raw, part, mirror, patience)
        sha256 = part.digests()["sha256"]
        part.finish()
    record.add(remote.name, target, sha256)
    return target


def _from_mirror_or_publisher(
    remote: Remote, raw: Path, part: Part, mirror: str | None, patience: Patience
) -> None:
    """Fill the part, verified: from the mirror if it can, else from the publisher."""
    reasons: list[str] = []
    for address in [*_in_mirror(mirror, raw.name, remote.name), remote.url]:
        if not address:
            continue
        if address == remote.url:  # a mirror has two addresses for a file: one is enough
            for reason in reasons:
                say(f"not from the mirror: {reason}")
        try:
            _fill(address, remote, part, patience)
            return
        except Refused as refusal:
            reasons.append(str(refusal))
    if remote.url:
        raise Refused("; and ".join(reasons))
    also = f" ({'; '.join(reasons)})" if reasons else ""
    found = f"no file, and no public address to fetch it from{also}"
    raise refused(part.target, found, remote.name, BY_HAND)


def _fill(address: str, remote: Remote, part: Part, patience: Patience) -> None:
    """Fill the part from one address and verify it; wrong bytes are discarded."""
    known = bool(remote.sha256 or remote.md5)
    if urlsplit(address).scheme in ("http", "https"):
        download(address, part, size=remote.size, known=known, patience=patience)
    else:
        copy(_path(address), part, size=remote.size, patience=patience)
    try:
        _verify(address, remote, part.size, part.digests())
        opens(part.path, called=part.target.name)
    except Refused:
        part.discard()
        raise


def _verify(where: str | Path, remote: Remote, size: int, hashes: dict[str, str]) -> None:
    """Refuse a wrong size or checksum, with the right one."""
    if remote.size is not None and size != remote.size:
        raise refused(where, f"{size} bytes", f"{remote.size} bytes", "fetch it again")
    for kind, expected in (("sha256", remote.sha256), ("md5", remote.md5)):
        if expected and hashes[kind] != expected.lower():
            raise refused(
                where,
                f"{kind} {hashes[kind]} ({size} bytes)",
                f"{kind} {expected.lower()}",
                "fetch it again; if it is the same again, its publisher has changed the file",
            )


def _check_existing(remote: Remote, target: Path, record: Checksums) -> None:
    """Verify a file that is there already, unless it was before; Refused, and left, if wrong."""
    if record.knows(remote.name, target, remote.sha256):
        return
    hashes = digest_of(target)
    _verify(target, remote, target.stat().st_size, hashes)
    opens(target, called=target.name)
    record.add(remote.name, target, hashes["sha256"])


def _in_mirror(mirror: str | None, folder: str, name: str) -> list[str]:
    """Addresses of a file in a mirror: below the raw folder's name, as in a copy, or at its top."""
    if mirror is None:
        return []
    if urlsplit(mirror).scheme in ("http", "https", "file"):
        return [f"{mirror.rstrip('/')}/{quote(path)}" for path in (f"{folder}/{name}", name)]
    return [str(Path(mirror).expanduser() / path) for path in (f"{folder}/{name}", name)]


def _path(address: str) -> Path:
    split = urlsplit(address)
    return Path(unquote(split.path)) if split.scheme == "file" else Path(address)
