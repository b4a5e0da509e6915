"""Reading records and holding files to them.  Standard library only.

A record (JSON) lies beside what a job made; its id is the hash of its own content.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

SUFFIX = ".record.json"


class BrokenLinkError(ValueError):
    """A file that is not what its record says; the message names it."""


def link_to(path: Path) -> dict[str, Any]:
    """An input's hash and the record that made it, checked against each other.

    An input may itself be a record, whose job reads what it names; that is checked alike.
    """
    if path.name.endswith(SUFFIX):
        record = read_record(path)
        for output in record["outputs"]:
            verify_unchanged(Path(output["path"]), path, output["sha256"])
        return _link(path, sha256_of(path), path, record)
    made_by = record_path(path)
    record = read_record(made_by)
    return _link(
        path, verify_unchanged(path, made_by, claimed_sha256(record, path)), made_by, record
    )


def verify_unchanged(path: Path, record: Path, claimed: str) -> str:
    """The hash of a file, which is the one its record claims; BrokenLinkError if not."""
    if (found := sha256_of(path)) != claimed:
        raise BrokenLinkError(
            f"{path} is not what {record} says: sha256 {found[:12]}, recorded {claimed[:12]}; "
            "delete the record to have it made again"
        )
    return found


def _link(path: Path, sha256: str, record: Path, content: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "path": str(path),
        "sha256": sha256,
        "record": str(record),
        "record_id": content["id"],
    }


def claimed_sha256(record: Mapping[str, Any], path: Path) -> str:
    """The hash a record gives for one of its outputs."""
    for output in record["outputs"]:
        if output["path"] == str(path):
            return output["sha256"]
    made = ", ".join(output["path"] for output in record["outputs"])
    raise BrokenLinkError(f"record {record['id']} made {made or 'nothing'}, not {path}")


def read_record(record: Path) -> dict[str, Any]:
    """One record; refuses a missing one, and one whose content does not match its id."""
    try:
        text = record.read_text(encoding="utf-8")
        content = json.loads(text)
        found = content.pop("id")
    except FileNotFoundError:
        raise BrokenLinkError(f"{record} is missing: nothing says how its data were made") from None
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise BrokenLinkError(
            f"{record} is not a record: {error}; delete it to have it made again"
        ) from None
    if record_id(content) != found or record_text({"id": found, **content}) != text:
        raise BrokenLinkError(
            f"{record} was changed after it was written: its id {found} is not its own"
        )
    return {"id": found, **content}


def first_output(record: Path) -> Path:
    """The first file a job made, e.g. the CSV of a table, the PNG of a figure, the weights."""
    return Path(read_record(record)["outputs"][0]["path"])


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
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
