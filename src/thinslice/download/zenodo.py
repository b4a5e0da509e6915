"""List the files of a Zenodo record: names, sizes, MD5 checksums."""

import json
from pathlib import Path
from typing import Any

from thinslice.download.fetch import BY_HAND, Remote, fetch_list
from thinslice.errors import refused

API = "https://zenodo.org/api/records"


def list_of(record: int) -> str:
    """Name of the file with a record's list; without it nothing was downloaded yet."""
    return f"zenodo-{record}.json"


def remotes_of(record: int, raw: Path, mirror: str | None = None) -> list[Remote]:
    """The files of a record; its list is downloaded once, to ``zenodo-<record>.json``."""
    url = f"{API}/{record}"
    path = fetch_list(Remote(url, list_of(record)), raw, mirror)
    try:
        return [_remote(file) for file in json.loads(path.read_text())["files"]]
    except (ValueError, KeyError, TypeError) as error:
        found = f"no list of files ({type(error).__name__}: {error})"
        raise refused(path, found, f"the answer of {url}", f"delete it, or {BY_HAND}") from error


def _remote(file: dict[str, Any]) -> Remote:
    kind, _, checksum = file["checksum"].partition(":")
    md5 = checksum if kind == "md5" else None
    return Remote(file["links"]["self"], file["key"], size=int(file["size"]), md5=md5)
