"""One file from one place into a part: over HTTP with ranges and retries, or by copying.

What HTTP promises and servers do not keep is checked: the range that comes back, the total size,
whether the file changed since, and whether it is the file at all or a page that asks to log in.
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
    """How long to try."""

    tries: int = 6  # in a row that bring nothing new
    wait_s: float = 1.0  # before the second try; doubles each time
    longest_s: float = 60.0  # of a wait, whatever Retry-After says
    timeout_s: float = 60.0  # of silence
    every_s: float = 5.0  # a line of progress


class _Retry(Exception):  # noqa: N818 - not an error yet
    """This try failed; another may not."""

    def __init__(self, reason: str, after_s: float = 0.0):
        super().__init__(reason)
        self.after_s = after_s


def download(url: str, part: Part, *, size: int | None, known: bool, patience: Patience) -> None:
    """Fill ``part`` from ``url``, going on from what is there.

    size     bytes, if known beforehand
    known    whether its checksum is known and will tell a patchwork of two files; if not, bytes
             are gone on from only where the server says that its file is still the same

    Raises Refused, with the address and what to do, when the file cannot be had.
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
            say(f"{part.target.name}: {reason}; again in {wait_s:g} s from byte {part.size}")
            time.sleep(wait_s)


def copy(source: Path, part: Part, *, size: int | None, patience: Patience) -> None:
    """Fill ``part`` from a file; Refused if there is none."""
    if not source.is_file():
        raise refused(source, "nothing", f"the file {part.target.name}", "put it there")
    total = source.stat().st_size
    _as_long(source, total, size)
    part.start({})
    _room(part, total)
    progress = Progress(part.target.name, 0, total, patience.every_s)
    with source.open("rb") as file:
        while block := file.read(BLOCK):
            part.add(block)
            progress.at(part.size)


def _once(url: str, part: Part, size: int | None, known: bool, patience: Patience) -> None:
    origin = part.origin()
    if origin.get("url") == url and origin.get("total") == part.size:
        return  # whole already; stopped before it was checked
    asked = _range(url, part, origin, known)
    headers = {"User-Agent": "thinslice", "Accept-Encoding": "identity", **asked}
    request = urllib.request.Request(url, headers=headers)
    try:
        answer = urllib.request.urlopen(request, timeout=patience.timeout_s)
    except urllib.error.HTTPError as error:
        _turned_away(url, part, error)
    except urllib.error.URLError as error:
        if isinstance(error.reason, ssl.SSLCertVerificationError):
            raise refused(url, str(error.reason), "a valid certificate", BY_HAND) from error
        raise
    with answer:
        first = answer.read1(BLOCK)
        total = _begun(url, answer, part, origin, first)
        _as_long(url, total, size)
        _room(part, total)
        progress = Progress(part.target.name, part.size, total, patience.every_s)
        while first:
            part.add(first)
            progress.at(part.size)
            first = answer.read1(BLOCK)
    if total is not None and part.size < total:
        raise _Retry(f"the connection closed at byte {part.size} of {total}")


def _range(url: str, part: Part, origin: dict[str, Any], known: bool) -> dict[str, str]:
    """Headers that ask for the rest only; none where it must be begun anew."""
    if not part.size or origin.get("url") != url:
        return {}
    etag, modified = origin.get("etag"), origin.get("modified")
    same = modified if etag is None or etag.startswith("W/") else etag
    if same is None and not known:
        return {}
    return {"Range": f"bytes={part.size}-", **({"If-Range": same} if same else {})}


def _begun(url: str, answer: Any, part: Part, origin: dict[str, Any], first: bytes) -> int | None:
    """Total size of the file whose bytes begin to come, at the right place of the part."""
    if answer.status == 206:
        return _gone_on(answer, part, origin)
    kind = answer.headers.get("Content-Type", "")
    page = kind.startswith("text/html") or PAGE.match(first)
    if page and not part.target.name.endswith((".html", ".htm")):
        found = f"a web page ({answer.url})"
        advice = f"it may want a login, a registration or a click: {BY_HAND}"
        raise refused(url, found, f"the file {part.target.name}", advice)
    length = answer.headers.get("Content-Length")
    total = None if length is None else int(length)
    if part.size:
        say(f"{part.target.name}: begun anew (the file changed, or its server gives no ranges)")
    etag, modified = answer.headers.get("ETag"), answer.headers.get("Last-Modified")
    part.start({"url": url, "etag": etag, "modified": modified, "total": total})
    return total


def _gone_on(answer: Any, part: Part, origin: dict[str, Any]) -> int | None:
    """Total size, if the rest is the rest of the same file."""
    said = answer.headers.get("Content-Range", "")
    match = RANGE.fullmatch(said.strip())
    now = {"etag": answer.headers.get("ETag"), "modified": answer.headers.get("Last-Modified")}
    changed = any(now[key] not in (None, origin.get(key)) for key in now)
    if match is None or int(match[1]) != part.size or changed:
        at = part.size
        part.discard()
        raise _Retry(f"asked for bytes from {at}, got Content-Range {said!r} of {now}")
    total = origin.get("total") if match[2] == "*" else int(match[2])
    if origin.get("total") not in (None, total):
        part.discard()
        raise _Retry(f"the file was {origin['total']} bytes long and is {total}")
    return total


def _turned_away(url: str, part: Part, error: urllib.error.HTTPError) -> NoReturn:
    """Why, and whether to come again."""
    said = f"HTTP {error.code} {error.reason}".strip()
    if error.code == 416:  # more bytes here than there
        part.discard()
        raise _Retry(said) from error
    if error.code in AGAIN:
        raise _Retry(said, _after_s(error.headers.get("Retry-After"))) from error
    if error.code in (404, 410):
        advice = f"it was moved or withdrawn: look for it at its publisher, {BY_HAND}"
    elif error.code in CLOSED:
        advice = f"it asks for {CLOSED[error.code]}: register there, {BY_HAND}"
    else:
        advice = BY_HAND
    raise refused(url, said, f"the file {part.target.name}", advice) from error


def _after_s(said: str | None) -> float:
    """Seconds that a Retry-After asks for: a number or a date."""
    if said is None:
        return 0.0
    if said.strip().isdigit():
        return float(said)
    try:
        return max(email.utils.parsedate_to_datetime(said).timestamp() - time.time(), 0.0)
    except ValueError:
        return 0.0


def _as_long(where: Path | str, total: int | None, size: int | None) -> None:
    if None not in (total, size) and total != size:
        advice = "its publisher has changed it, or it is not the file"
        raise refused(where, f"{total} bytes", f"{size} bytes", advice)


def _room(part: Part, total: int | None) -> None:
    """Refused before the disk is full."""
    needed = 0 if total is None else total - part.size
    free = shutil.disk_usage(part.target.parent).free
    if needed and free < needed + ROOM:
        found = f"{free / 1e9:.2f} GB free"
        raise refused(part.target.parent, found, f"{needed / 1e9:.2f} GB more", "make room")
