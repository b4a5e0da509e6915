"""Files of a data set from the net, gone on from where a run stopped, and checked byte for byte.

A file is written as ``<name>.part`` and renamed once its size and its checksum hold. Where the
publisher gives no checksum, the first download is hashed into ``raw/checksums.json`` and every
later one must be the same.
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
    """One file of a data set on the net.

    url       where the publisher keeps it; "" where only a person can get it (registration)
    name      its path below the raw folder, and below a mirror
    size      bytes, if the publisher says so
    sha256    published; None: recorded on the first download and enforced from then on
    md5       for publishers that give only this
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
) -> list[Path]:
    """Every remote as a whole, verified file below ``raw``, in order.

    mirror     a folder, or a file: or http(s): URL, tried before the publisher: first its part
               with the name of ``raw``'s folder, as in a copy of it, then itself
    patience   how often and how long to try

    What is there and verified is left alone. Raises Refused for what cannot be had, with what to
    do, and for wrong bytes, with both checksums; wrong bytes are thrown away, but a file that was
    there before is left for a person to look at.
    """
    raw.mkdir(parents=True, exist_ok=True)
    record = Checksums(raw / "checksums.json")
    return [_one(remote, raw, mirror, record, patience) for remote in remotes]


def fetch_list(
    remote: Remote,
    raw: Path,
    mirror: str | None = None,
    *,
    patience: Patience = Patience(),  # noqa: B008 - frozen
) -> Path:
    """A publisher's list of its files, asked for once; it counts downloads, so no checksum."""
    target = raw / remote.name
    if not target.is_file():
        with Part(target) as part:
            _from_anywhere(remote, raw, part, mirror, patience)
            part.finish()
    return target


def _one(
    remote: Remote, raw: Path, mirror: str | None, record: Checksums, patience: Patience
) -> Path:
    target = raw / remote.name
    if remote.sha256 is None:  # what was recorded holds as if it were published
        remote = replace(remote, sha256=record.sha256(remote.name))
    if target.is_file():
        _still_right(remote, target, record)
        return target
    with Part(target) as part:
        if target.is_file():  # another process was faster
            _still_right(remote, target, record)
            return target
        _from_anywhere(remote, raw, part, mirror, patience)
        sha256 = part.digests()["sha256"]
        part.finish()
    record.add(remote.name, target, sha256)
    return target


def _from_anywhere(
    remote: Remote, raw: Path, part: Part, mirror: str | None, patience: Patience
) -> None:
    """Fill the part, verified: from the mirror if it can, else from the publisher."""
    reasons: list[str] = []
    for place in [*_below(mirror, raw.name, remote.name), remote.url]:
        if not place:
            continue
        if place == remote.url:  # a mirror has two places for a file: one of them is enough
            for reason in reasons:
                say(f"not from the mirror: {reason}")
        try:
            _from(place, remote, part, patience)
            return
        except Refused as refusal:
            reasons.append(str(refusal))
    if remote.url:
        raise Refused("; and ".join(reasons))
    also = f" ({'; '.join(reasons)})" if reasons else ""
    found = f"no file, and no public address to fetch it from{also}"
    raise refused(part.target, found, remote.name, BY_HAND)


def _from(place: str, remote: Remote, part: Part, patience: Patience) -> None:
    """Fill the part from one place and verify it; wrong bytes are thrown away."""
    known = bool(remote.sha256 or remote.md5)
    if urlsplit(place).scheme in ("http", "https"):
        download(place, part, size=remote.size, known=known, patience=patience)
    else:
        copy(_path(place), part, size=remote.size, patience=patience)
    try:
        _right(place, remote, part.size, part.digests())
        opens(part.path, called=part.target.name)
    except Refused:
        part.discard()
        raise


def _right(where: str | Path, remote: Remote, size: int, found: dict[str, str]) -> None:
    """Size and checksums as they should be, or Refused with both."""
    if remote.size is not None and size != remote.size:
        raise refused(where, f"{size} bytes", f"{remote.size} bytes", "fetch it again")
    for kind, expected in (("sha256", remote.sha256), ("md5", remote.md5)):
        if expected and found[kind] != expected.lower():
            raise refused(
                where,
                f"{kind} {found[kind]} ({size} bytes)",
                f"{kind} {expected.lower()}",
                "fetch it again; if it stays so, its publisher has changed it",
            )


def _still_right(remote: Remote, target: Path, record: Checksums) -> None:
    """A file that is there already: as recorded, or checked now; Refused, and left, if wrong."""
    if record.knows(remote.name, target, remote.sha256):
        return
    found = digest_of(target)
    _right(target, remote, target.stat().st_size, found)
    opens(target, called=target.name)
    record.add(remote.name, target, found["sha256"])


def _below(mirror: str | None, folder: str, name: str) -> list[str]:
    """Where a mirror may keep a file: under the raw folder's name, as in a copy, or right there."""
    if mirror is None:
        return []
    if urlsplit(mirror).scheme in ("http", "https", "file"):
        return [f"{mirror.rstrip('/')}/{quote(path)}" for path in (f"{folder}/{name}", name)]
    return [str(Path(mirror).expanduser() / path) for path in (f"{folder}/{name}", name)]


def _path(place: str) -> Path:
    split = urlsplit(place)
    return Path(unquote(split.path)) if split.scheme == "file" else Path(place)
