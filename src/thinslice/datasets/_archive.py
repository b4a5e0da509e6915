"""Series of the NCI Imaging Data Commons: fetched from its public buckets, one folder a series.

A series is ``{uuid}/{file}.dcm`` in a bucket that is read over plain HTTPS without an account. The
manifest states how many files and how many bytes a series has: an archive with other ones is
refused, not taken. Checksums are the bucket's MD5; SHA-256 are recorded at the first download, in
``checksums/{uuid}.json``, and enforced from then on.
"""

import shutil
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from thinslice.download.bucket import remotes_in
from thinslice.download.fetch import Remote, fetch
from thinslice.download.progress import say
from thinslice.errors import listed, refused

ADDRESS = "https://{bucket}.s3.amazonaws.com"
NO_MONEY = "NC"  # in the name of a licence for non-commercial use
CONNECTIONS = 8  # at a time
ROOM = 1 << 30  # bytes to leave free


class Series(NamedTuple):
    """One series of the archive, by its manifest."""

    uid: str
    uuid: str
    bucket: str
    slices: int
    bytes: int


def series_of(row: Mapping[str, str], role: str = "") -> Series:
    """The series of a manifest's row; ``role``: "thin" or "thick" where it has both."""
    part = {key: row[f"{role}_{key}" if role else key] for key in ("uid", "uuid")}
    numbers = [int(row[f"{role}_{key}" if role else key]) for key in ("slices", "bytes")]
    return Series(part["uid"], part["uuid"], row["bucket"], *numbers)


def fetch_series(
    series: Sequence[Series], raw: Path, mirror: str | None, address: str = ADDRESS
) -> None:
    """Download series to ``raw/{uuid}/``; Refused before the first byte if the disk is too small.

    address   of a bucket, with ``{bucket}`` in it
    """
    raw.mkdir(parents=True, exist_ok=True)
    missing = sum(max(each.bytes - _size(raw / each.uuid), 0) for each in series)
    total = sum(each.bytes for each in series)
    say(
        f"{raw.name}: {len(series)} series, {sum(each.slices for each in series)} files, "
        f"{total / 1e9:.2f} GB, of which {missing / 1e9:.2f} GB are to be downloaded"
    )
    free = shutil.disk_usage(raw).free
    if missing and free < missing + ROOM:
        advice = "make room, or take fewer patients (take, max_gb)"
        raise refused(raw, f"{free / 1e9:.2f} GB free", f"{missing / 1e9:.2f} GB more", advice)
    for k, each in enumerate(series, 1):
        say(f"{raw.name}: series {k} of {len(series)}: {each.uuid}")
        _fetch(each, raw, mirror, address.replace("{bucket}", each.bucket))


def fetch_first(series: Series, raw: Path, mirror: str | None, address: str = ADDRESS) -> Path:
    """Download the first file of a series by name; its path."""
    place = address.replace("{bucket}", series.bucket)
    first = _remotes(series, raw, mirror, place)[:1]
    return fetch(first, raw, mirror, checksums=_checksums(series))[0]


def is_whole(series: Series, raw: Path) -> bool:
    """Whether every file of a series is there."""
    return len(list((raw / series.uuid).glob("*.dcm"))) == series.slices


def _fetch(series: Series, raw: Path, mirror: str | None, address: str) -> None:
    remotes, checksums = _remotes(series, raw, mirror, address), _checksums(series)
    with ThreadPoolExecutor(CONNECTIONS) as pool:  # half a MB a file: latency is most of it
        done = pool.map(lambda remote: fetch([remote], raw, mirror, checksums=checksums), remotes)
        list(done)  # raises the first refusal; files that were not begun are cancelled


def _checksums(series: Series) -> str:
    return f"checksums/{series.uuid}.json"


def _remotes(series: Series, raw: Path, mirror: str | None, address: str) -> list[Remote]:
    """The files of a series; Refused where they are not those of the manifest."""
    remotes = remotes_in(address, series.uuid, raw, mirror)
    total = sum(remote.size or 0 for remote in remotes)
    if (len(remotes), total) != (series.slices, series.bytes):
        found = f"{len(remotes)} files of {total} bytes"
        expected = f"{series.slices} of {series.bytes} bytes, as in the manifest"
        advice = (
            f"the archive has another version of it; delete {raw / 'listings'} if that is old, or "
            "leave its collection out, or name a manifest without its row"
        )
        raise refused(f"{address}/{series.uuid}/", found, expected, advice)
    return remotes


def files_of(series: Series, raw: Path) -> list[Path]:
    """The files of a series, sorted; Refused where they are not as many as the manifest says."""
    folder = raw / series.uuid
    files = sorted(folder.glob("*.dcm"))
    if len(files) != series.slices:
        found = f"{len(files)} .dcm files"
        raise refused(folder, found, f"{series.slices}", "fetch the data set again")
    return files


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.glob("*")) if folder.is_dir() else 0


def licensed(
    rows: Sequence[Mapping[str, Any]], licences: Sequence[str] | None, what: str
) -> list[Mapping[str, Any]]:
    """The rows under these licences; None: under every one that does not forbid commercial use.

    Refused where none is left: a licence for non-commercial use must be named.
    """
    there = sorted({row["licence"] for row in rows})
    wanted = [each for each in there if NO_MONEY not in each] if licences is None else licences
    if unknown := sorted(set(wanted) - set(there)):
        raise refused(what, f"licences: {listed(unknown)}", f"some of {', '.join(there)}", SPELL)
    kept = [row for row in rows if row["licence"] in wanted]
    if rows and not kept:
        found = f"nothing but {', '.join(there)}"
        advice = f"if your use is one it allows, say so: licences: [{', '.join(there)}]"
        raise refused(what, found, "a licence that is free for every use, or named", advice)
    return kept


SPELL = "correct the spelling"
