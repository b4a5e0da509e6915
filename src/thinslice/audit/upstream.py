"""Records behind a record, read without hashing what they made."""

from collections.abc import Collection
from pathlib import Path
from typing import Any

from thinslice.provenance.records import BrokenLinkError, read_record


def contents(record: Path, only: Collection[str] = ()) -> dict[Path, dict[str, Any]]:
    """The record and every record it rests on, nearest first; what cannot be read is left out.

    only    of the many score records that a gather job joined, the ids to follow; all if empty
    """
    behind: dict[Path, dict[str, Any]] = {}
    visited: set[str] = set()
    todo = [record]
    while todo:
        path = todo.pop(0)
        try:
            content = read_record(path)
        except BrokenLinkError:
            continue  # the walk names it
        if content["id"] in visited:
            continue  # of a job that made two stores, beside the other
        visited.add(content["id"])
        behind[path] = content
        for link in content["inputs"].values():
            follow = content["rule"] != "gather" or not only or link["record_id"] in only
            if link["record"] is not None and follow:
                todo.append(Path(link["record"]))
    return behind
