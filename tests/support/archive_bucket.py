"""A public bucket as the Imaging Data Commons has it: a folder a series, listed as S3 lists."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

LISTED = """<?xml version="1.0" encoding="UTF-8"?>
<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>open</Name>\
<Prefix>{folder}/</Prefix><KeyCount>{n}</KeyCount><MaxKeys>{page}</MaxKeys>\
<IsTruncated>{truncated}</IsTruncated>{token}{entries}</ListBucketResult>"""
ENTRY = (
    "<Contents><Key>{key}</Key><LastModified>2023-06-01T00:00:00.000Z</LastModified>"
    "<ETag>&quot;{md5}&quot;</ETag><Size>{size}</Size><StorageClass>STANDARD</StorageClass></Contents>"
)
TOKEN = "<NextContinuationToken>{token}</NextContinuationToken>"


def content_of(folders: Mapping[str, Mapping[str, bytes]], page: int = 1000) -> dict[str, bytes]:
    """What the bucket answers, by path and query: its files, and the listings of its folders."""
    content = {f"{f}/{name}": data for f, files in folders.items() for name, data in files.items()}
    for folder, files in folders.items():
        content |= listings(folder, files, page)
    return content


def listings(folder: str, files: Mapping[str, bytes], page: int = 1000) -> dict[str, bytes]:
    """The pages of one folder's listing, by query."""
    keys = sorted(files)
    pages = [keys[k : k + page] for k in range(0, len(keys), page)] or [[]]
    start = f"?list-type=2&prefix={quote(folder + '/', safe='')}"
    return {
        start + (f"&continuation-token={quote(_token(k), safe='')}" if k else ""): _page(
            folder,
            {key: files[key] for key in chosen},
            page,
            k + 1 if chosen is not pages[-1] else 0,
        )
        for k, chosen in enumerate(pages)
    }


def _token(k: int) -> str:
    return f"page+{k}/="


def _page(folder: str, files: Mapping[str, bytes], page: int, following: int) -> bytes:
    entries = [
        ENTRY.format(key=f"{folder}/{name}", md5=hashlib.md5(data).hexdigest(), size=len(data))
        for name, data in files.items()
    ]
    text = LISTED.format(
        folder=folder,
        n=len(files),
        page=page,
        truncated="true" if following else "false",
        token=TOKEN.format(token=_token(following)) if following else "",
        entries="".join(entries),
    )
    return text.encode()


def as_folder(series: Path) -> dict[str, bytes]:
    """The files of a folder by name."""
    return {path.name: path.read_bytes() for path in sorted(series.glob("*.dcm"))}


def row_of(
    case: str, split: str, series: Mapping[str, tuple[str, str, Mapping[str, bytes]]]
) -> dict[str, str]:
    """A manifest's row of a pair; by role its folder's name, its UID and its files."""
    row = {
        "case": case,
        "split": split,
        "collection": "chests",
        "patient": case,
        "licence": "CC BY 4.0",
        "bucket": "open",
        "maker": "ge",
        "study": f"1.2.{len(case)}",
        "ratio": "1/5",
        "same_words": "yes",
    }
    for role, (uuid, uid, files) in series.items():
        size = sum(map(len, files.values()))
        mm = {"thin": "1", "thick": "5"}[role]
        numbers = {"mm": mm, "slices": str(len(files)), "bytes": str(size)}
        about = {"uid": uid, "uuid": uuid, **numbers}
        row |= {f"{role}_{key}": value for key, value in about.items()}
    return row
