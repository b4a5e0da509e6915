"""Read records, and check files against them.  Standard library only.

A record (JSON) lies beside what a job made; its id is the hash of its own content. It names every
output and input: ``{"scores": {"path": ..., "sha256": ...}}``.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from thinslice.errors import ThinsliceError
from thinslice.fs.hashing import sha256_of_file

FORMAT = 2
SUFFIX = ".record.json"


class BrokenLinkError(ThinsliceError, ValueError):
    """A file that is not what its record says; the message names it."""


class OtherFormatError(BrokenLinkError):
    """A whole record of another format: unchanged, but not for this version to read."""

    def __init__(self, identity: str, message: str):
        super().__init__(message)
        self.identity = identity


def link_to(path: Path) -> dict[str, Any]:
    """An input's hash and the record that made it, checked against each other.

    An input may itself be a record, whose job reads what it names; that is checked alike.
    """
    if path.name.endswith(SUFFIX):
        record = read_record(path)
        for output in record["outputs"].values():
            verify_unchanged(Path(output["path"]), path, output["sha256"])
        return _link(path, sha256_of(path), path, record)
    made_by = record_path(path)
    record = read_record(made_by)
    sha256 = verify_unchanged(path, made_by, claimed_sha256(record, path))
    return _link(path, sha256, made_by, record)


def verify_unchanged(path: Path, record: Path, claimed: str) -> str:
    """The hash of a file, which is the one its record claims; BrokenLinkError if not."""
    if (sha256 := sha256_of(path)) != claimed:
        raise BrokenLinkError(
            f"{path} is not what {record} says: sha256 {sha256[:12]}, recorded {claimed[:12]}; "
            "delete the record to have it made again"
        )
    return sha256


def _link(path: Path, sha256: str, record: Path, content: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "path": str(path),
        "sha256": sha256,
        "record": str(record),
        "record_id": content["id"],
    }


def claimed_sha256(record: Mapping[str, Any], path: Path) -> str:
    """The hash a record gives for one of its outputs."""
    outputs = record["outputs"].values()
    for output in outputs:
        if output["path"] == str(path):
            return output["sha256"]
    made = ", ".join(output["path"] for output in outputs)
    raise BrokenLinkError(f"record {record['id']} made {made or 'nothing'}, not {path}")


def read_record(record: Path) -> dict[str, Any]:
    """One record; BrokenLinkError if it is missing, of another format, or not what its id says."""
    try:
        text = record.read_text(encoding="utf-8")
        content = json.loads(text)
        identity = content.pop("id")
        written_as = content.get("format")
    except FileNotFoundError:
        raise BrokenLinkError(
            f"{record} is missing: without it, how its data were made is unknown; run the workflow "
            "again"
        ) from None
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise BrokenLinkError(
            f"{record} is not a record: {error}; delete it to have it made again"
        ) from None
    if record_id(content) != identity or record_text({"id": identity, **content}) != text:
        raise BrokenLinkError(
            f"{record} was changed after it was written: its id {identity} is not that of its "
            "content; delete it to have it made again"
        )
    if written_as != FORMAT:
        raise OtherFormatError(
            identity,
            f"{record} has format {written_as}, this version of thinslice reads format {FORMAT}: "
            "run the workflow again, or use the version that wrote it",
        )
    return {"id": identity, **content}


def output_of(record: Path, name: str) -> Path:
    """A named file that a job made, e.g. the "table" of an analysis; BrokenLinkError if none."""
    outputs = read_record(record)["outputs"]
    if name not in outputs:
        raise BrokenLinkError(
            f"{record} names no output {name!r}, only {', '.join(outputs) or 'none'}; delete it to "
            "have it made again"
        )
    return Path(outputs[name]["path"])


def by_path(paths: Iterable[Path]) -> dict[str, Path]:
    """Names for inputs that come in any number: their paths."""
    return {str(path): path for path in paths}


def record_path(path: Path) -> Path:
    """Where the record of a result lies: beside it."""
    return path.with_suffix(SUFFIX)


def record_id(content: Mapping[str, Any]) -> str:
    """16 hex digits of the hash of a record's content."""
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()[:16]


def record_text(record: Mapping[str, Any]) -> str:
    """A record as it is written, to the byte."""
    return json.dumps(record, indent=1, sort_keys=True) + "\n"


def sha256_of(path: Path) -> str:
    """Hash of a file, or of a store's manifest, which holds the hash of each of its files."""
    file = path / "manifest.json" if path.is_dir() else path
    if not file.is_file():
        raise BrokenLinkError(f"{path} is missing")
    return sha256_of_file(file)
