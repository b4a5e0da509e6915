"""Transfer one file into a part: over HTTP with ranges and retries, or by copying.

Servers are not trusted: the range that comes back, the total size, whether the file has changed
since, and whether it is the file or a login page are all checked.
"""

import email.utils
import http.client
import re
import shutil
import ssl
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from thinslice.download.partial_file import BLOCK, Part
from thinslice.download.progress import Progress, say
from thinslice.errors import refused

AGAIN = {408, 425, 429, 500, 502, 503, 504}  # what may pass by itself
CLOSED = {401: "a login", 402: "a payment", 403: "a permission", 451: "a legal permission"}
DROPPED = (OSError, http.client.HTTPException)  # URLError, timeouts and resets are OSErrors
PAGE = re.compile(rb"\s*(<!doctype\s+html|<html)", re.IGNORECASE)
RANGE = re.compile(r"bytes\s+(\d+)-\d+/(\d+|\*)")
ROOM = 64 << 20  # bytes to leave free on the disk
BY_HAND = "download it by hand and put it there, or name a mirror that holds it"


@dataclass(frozen=True)
class Patience:
    """How often and how long to try."""

    tries: int = 6  # in a row without progress
    wait_s: float = 1.0  # before the second try; doubles each time
    longest_s: float = 60.0  # of a wait, whatever Retry-After says
    timeout_s: float = 60.0  # of silence
    every_s: float = 5.0  # a line of progress


class _Retry(Exception):  # noqa: N818 - not an error yet
    """A failed try that may be repeated."""

    def __init__(self, reason: str, after_s: float = 0.0):
        super().__init__(reason)
        self.after_s = after_s


def download(url: str, part: Part, *, size: int | None, known: bool, patience: Patience) -> None:
    """Fill ``part`` from ``url``, resuming from its bytes.

    size     bytes, if known beforehand
    known    whether a checksum will reveal a mixture of two files; if not, a download resumes
             only where the server confirms that its file is still the same

    Refused, with the address and what to do, where the file cannot be downloaded.
    """
    failed, best = 0, part.size
    while True:
        try:
            _once(url, part, size, known, patience)
            return
        except (_Retry, *DROPPED) as reason:
            failed = 0 if part.size > best else failed + 1
            best = max(best, part.size)
            if failed >= patience.tries:
                found = f"no whole file in {failed} tries ({reason})"
                raise refused(url, found, part.target.name, f"try later, or {BY_HAND}") from reason
            wait_s = max(patience.wait_s * 2 ** max(failed - 1, 0), getattr(reason, "after_s", 0))
            wait_s = min(wait_s, patience.longest_s)
            say(f"{part.target.name}: {reason}; trying again in {wait_s:g} s from byte {part.size}")
            time.sleep(wait_s)


def copy(source: Path, part: Part, *, size: int | None, patience: Patience) -> None:
    """Fill ``part`` from a file; Refused where there is none."""
    if not source.is_file():
        raise refused(source, "nothing", f"the file {part.target.name}", "put it there")
    total = source.stat().st_size
    _check_size(source, total, size)
    part.start({})
    _check_space(part, total)
    progress = Progress(part.target.name, 0, total, patience.every_s)
    with source.open("rb") as file:
        while block := file.read(BLOCK):
            part.add(block)
            progress.at(part.size)


def _once(url: str, part: Part, size: int | None, known: bool, patience: Patience) -> None:
    origin = part.origin()
    if origin.get("url") == url and origin.get("total") == part.size:
        return  # complete; an earlier run stopped before it verified it
    wanted = _range(url, part, origin, known)
    headers = {"User-Agent": "thinslice", "Accept-Encoding": "identity", **wanted}
    request = urllib.request.Request(url, headers=headers)
    try:
        answer = urllib.request.urlopen(request, timeout=patience.timeout_s)
    except urllib.error.HTTPError as error:
        _http_error(url, part, error)
    except urllib.error.URLError as error:
        if isinstance(error.reason, ssl.SSLCertVerificationError):
            raise refused(url, str(error.reason), "a valid certificate", BY_HAND) from error
        raise
    with answer:
        first = answer.read1(BLOCK)
        total = _started(url, answer, part, origin, first)
        _check_size(url, total, size)
        _check_space(part, total)
        progress = Progress(part.target.name, part.size, total, patience.every_s)
        while first:
            part.add(first)
            progress.at(part.size)
            first = answer.read1(BLOCK)
    if total is not None and part.size < total:
        raise _Retry(f"the connection closed at byte {part.size} of {total}")


def _range(url: str, part: Part, origin: dict[str, Any], known: bool) -> dict[str, str]:
    """Headers that ask for the rest only; none where the download must start over."""
    if not part.size or origin.get("url") != url:
        return {}
    etag, modified = origin.get("etag"), origin.get("modified")
    same = modified if etag is None or etag.startswith("W/") else etag
    if same is None and not known:
        return {}
    return {"Range": f"bytes={part.size}-", **({"If-Range": same} if same else {})}


def _started(url: str, answer: Any, part: Part, origin: dict[str, Any], first: bytes) -> int | None:
    """Total size of the file in this answer; the part is ready for its first byte."""
    if answer.status == 206:
        return _resumed(answer, part, origin)
    kind = answer.headers.get("Content-Type", "")
    page = kind.startswith("text/html") or PAGE.match(first)
    if page and not part.target.name.endswith((".html", ".htm")):
        found = f"a web page ({answer.url})"
        advice = f"it may want a login, a registration or a click: {BY_HAND}"
        raise refused(url, found, f"the file {part.target.name}", advice)
    length = answer.headers.get("Content-Length")
    total = None if length is None else int(length)
    if part.size:
        say(f"{part.target.name}: starting over (the file changed, or its server cannot resume)")
    etag, modified = answer.headers.get("ETag"), answer.headers.get("Last-Modified")
    part.start({"url": url, "etag": etag, "modified": modified, "total": total})
    return total


def _resumed(answer: Any, part: Part, origin: dict[str, Any]) -> int | None:
    """Total size, where this answer continues the same file; else _Retry."""
    range_header = answer.headers.get("Content-Range", "")
    match = RANGE.fullmatch(range_header.strip())
    now = {"etag": answer.headers.get("ETag"), "modified": answer.headers.get("Last-Modified")}
    changed = any(now[key] not in (None, origin.get(key)) for key in now)
    if match is None or int(match[1]) != part.size or changed:
        at = part.size
        part.discard()
        raise _Retry(f"asked for bytes from {at}, got Content-Range {range_header!r} of {now}")
    total = origin.get("total") if match[2] == "*" else int(match[2])
    if origin.get("total") not in (None, total):
        part.discard()
        raise _Retry(f"the file was {origin['total']} bytes long and is {total}")
    return total


def _http_error(url: str, part: Part, error: urllib.error.HTTPError) -> NoReturn:
    """Retry or refuse, by the status of the answer."""
    status = f"HTTP {error.code} {error.reason}".strip()
    if error.code == 416:  # more bytes here than there
        part.discard()
        raise _Retry(status) from error
    if error.code in AGAIN:
        raise _Retry(status, _after_s(error.headers.get("Retry-After"))) from error
    if error.code in (404, 410):
        advice = f"it was moved or withdrawn: look for it at its publisher, {BY_HAND}"
    elif error.code in CLOSED:
        advice = f"it asks for {CLOSED[error.code]}: register there, {BY_HAND}"
    else:
        advice = BY_HAND
    raise refused(url, status, f"the file {part.target.name}", advice) from error


def _after_s(retry_after: str | None) -> float:
    """Seconds that a Retry-After header asks for, as a number or a date."""
    if retry_after is None:
        return 0.0
    if retry_after.strip().isdigit():
        return float(retry_after)
    try:
        return max(email.utils.parsedate_to_datetime(retry_after).timestamp() - time.time(), 0.0)
    except ValueError:
        return 0.0


def _check_size(where: Path | str, total: int | None, size: int | None) -> None:
    if None not in (total, size) and total != size:
        advice = "its publisher has changed it, or it is not the file"
        raise refused(where, f"{total} bytes", f"{size} bytes", advice)


def _check_space(part: Part, total: int | None) -> None:
    """Refuse a disk without enough free space, before it is full."""
    needed = 0 if total is None else total - part.size
    free = shutil.disk_usage(part.target.parent).free
    if needed and free < needed + ROOM:
        found = f"{free / 1e9:.2f} GB free"
        raise refused(part.target.parent, found, f"{needed / 1e9:.2f} GB more", "make room")
