"""List the files of a folder in a public bucket (S3): names, sizes, MD5 checksums; no account.

The answer to ``GET ?list-type=2&prefix=FOLDER/`` is XML, of up to 1000 files a page; each page is
downloaded once, to ``listings/FOLDER-1.xml`` and so on, so that a copy of the raw folder is a
mirror that needs no network. An ETag of 32 hex digits is the file's MD5, wherever a bucket may be
read without a key.
"""

import re
from pathlib import Path
from urllib.parse import quote
from xml.etree import ElementTree

from thinslice.download.fetch import BY_HAND, Remote, fetch_list
from thinslice.download.transfer import Patience
from thinslice.errors import Refused, refused

LISTINGS = "listings"
MD5 = re.compile(r"[0-9a-f]{32}")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
MOST_PAGES = 100  # of 1000 files: no folder of slices has so many


def remotes_in(
    address: str,
    folder: str,
    raw: Path,
    mirror: str | None = None,
    *,
    patience: Patience = Patience(),  # noqa: B008 - frozen
) -> list[Remote]:
    """The files of ``folder`` in the bucket at ``address``, by name; Refused for an odd answer.

    mirror   as of ``fetch``: its copy of the listing is taken before the bucket's
    """
    remotes: list[Remote] = []
    token: str | None = ""
    for page in range(1, MOST_PAGES + 1):
        query = f"list-type=2&prefix={quote(folder + '/', safe='')}"
        query += f"&continuation-token={quote(token, safe='')}" if token else ""
        listing = Remote(f"{address}/?{query}", f"{LISTINGS}/{folder}-{page}.xml")
        path = fetch_list(listing, raw, mirror, patience=patience)
        try:
            found, token = _page(path.read_bytes(), address, folder)
        except (ElementTree.ParseError, ValueError, KeyError) as error:
            problem = f"no list of files ({type(error).__name__}: {error})"
            raise refused(
                path, problem, f"the answer of {listing.url}", f"delete it, or {BY_HAND}"
            ) from error
        remotes += found
        if token is None:
            return sorted(remotes, key=lambda each: each.name)
    raise Refused(f"{address}: found more than {MOST_PAGES} pages of files in {folder}")


def _page(content: bytes, address: str, folder: str) -> tuple[list[Remote], str | None]:
    """The files of one page, and the token of the next one, if there is one."""
    root = ElementTree.fromstring(content)
    if _tag(root) != "ListBucketResult":
        raise ValueError(f"<{_tag(root)}>, not <ListBucketResult>")
    top = {_tag(each): (each.text or "").strip() for each in root}
    entries = [
        {_tag(part): (part.text or "").strip() for part in each}
        for each in root
        if _tag(each) == "Contents"
    ]
    files = [_remote(each, address, folder) for each in entries if not each["Key"].endswith("/")]
    truncated = top.get("IsTruncated", "false") == "true"
    return files, top["NextContinuationToken"] if truncated else None


def _tag(element: ElementTree.Element) -> str:
    """Its name without the namespace."""
    return element.tag.rpartition("}")[2]


def _remote(entry: dict[str, str], address: str, folder: str) -> Remote:
    key = entry["Key"]
    if not key.startswith(f"{folder}/") or not NAME.fullmatch(key.removeprefix(f"{folder}/")):
        raise ValueError(f"a file {key!r} in {folder}")
    etag = entry.get("ETag", "").strip('"').lower()
    md5 = etag if MD5.fullmatch(etag) else None  # files sent in parts have another kind
    return Remote(f"{address}/{key}", key, size=int(entry["Size"]), md5=md5)
