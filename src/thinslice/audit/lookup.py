"""Find the record of a result: by its id, by the file it made, or by the bytes it made.

A question without an answer is refused; only a record or a file that is not what it was is a
broken link.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from thinslice.audit import places
from thinslice.errors import ThinsliceError
from thinslice.provenance.records import (
    SUFFIX,
    BrokenLinkError,
    OtherFormatError,
    read_record,
    record_id,
    record_path,
    sha256_of,
)

STORE, PAGE = ".zarr", "results/report.html"


class NoRecordError(ThinsliceError, LookupError):
    """No record, or more than one, is the one that was asked for."""


def by_id(wanted: str, results: Path) -> Path:
    """The record with an id (or its beginning) below a results folder.

    NoRecordError if there is none or more than one; BrokenLinkError if there is none but a record
    was changed that may be the one.
    """
    matches, broken = {}, []
    for path in sorted(results.rglob(f"*{SUFFIX}")):
        try:
            identity = read_record(path)["id"]
        except OtherFormatError as error:
            if error.identity.startswith(wanted):
                raise
            continue
        except BrokenLinkError as error:
            if _may_be(path, wanted):
                broken.append(str(error))
            continue
        if identity.startswith(wanted):
            # A job that makes two stores leaves its record beside each.
            matches.setdefault(identity, path)
    if len(matches) > 1:
        raise NoRecordError(
            f"{wanted} begins the ids of {len(matches)} records: {', '.join(matches)}; "
            "give more digits"
        )
    if not matches and broken:
        raise BrokenLinkError(f"no record {wanted}; {'; '.join(broken)}")
    if not matches:
        raise NoRecordError(f"no record {wanted} below {results}; give its folder by --results")
    return next(iter(matches.values()))


def of_file(path: Path, results: Path) -> Path:
    """The record of a file: one that names it, else one below ``results`` that made its bytes.

    BrokenLinkError where its record was lost, or is of another result; NoRecordError if there is
    none.
    """
    try:
        return naming(path)
    except NoRecordError as error:
        if path.exists():
            _refuse_swapped(path)
            _refuse_lost(path)
        if path.is_file() and (made := by_bytes(sha256_of(path), results)):
            return made
        raise error from None


def naming(result: Path) -> Path:
    """The record that names a result, or ``result`` itself; NoRecordError if there is none.

    A file inside a store is found by its store.
    """
    stores = [folder for folder in result.parents if folder.suffix == STORE]
    for path in (result, *stores[:1]):
        beside = [record_path(path), *sorted(path.parent.glob(f"*{SUFFIX}"))]
        for record in [path] if path.name.endswith(SUFFIX) else beside:
            if record.is_file() and (record == path or _names(record, path)):
                return record
    if not result.exists() and not _was_run(result):
        raise NoRecordError(
            f"no record names {result}: nothing was run in this folder yet; run the workflow "
            "(snakemake), or name the file in the folder where it ran"
        )
    raise NoRecordError(
        f"no record names {result}; give a file of results/, e.g. results/tables/benchmark.csv, or "
        "the folder of its records by --results"
    )


def _was_run(result: Path) -> bool:
    """Whether the results folder that a path names, else the one here, holds a record."""
    above = [folder for folder in result.parents if folder.name == places.RESULTS]
    results = above[0] if above else Path(places.RESULTS)
    return next(results.rglob(f"*{SUFFIX}"), None) is not None


def by_bytes(sha256: str, results: Path) -> Path | None:
    """The record below ``results`` that made a file with this hash, wherever the file is now."""
    for record, content in _records(results):
        if any(output["sha256"] == sha256 for output in content["outputs"].values()):
            return record
    return None


def _records(results: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Every whole record below a folder."""
    for record in sorted(results.rglob(f"*{SUFFIX}")):
        try:
            yield record, read_record(record)
        except BrokenLinkError:
            continue  # whoever asks for it is told


def _refuse_swapped(path: Path) -> None:
    """BrokenLinkError where the record beside a result made another of the same kind."""
    record = record_path(path)
    if not record.is_file():
        return
    made = [Path(output["path"]) for output in read_record(record)["outputs"].values()]
    if path.suffix in {other.suffix for other in made}:
        raise BrokenLinkError(
            f"{path} is not what its record made: {', '.join(map(str, made))}; run the workflow "
            "again"
        )


def _refuse_lost(path: Path) -> None:
    """BrokenLinkError where the record beside a result is missing, but another was made from it."""
    results = places.results_of(path)
    if results is None or record_path(path).is_file():
        return
    recorded = f"{places.RESULTS}/{_below(path, results)}"
    if recorded == PAGE:  # nothing is made from it, so no other record can tell
        read_record(record_path(path))
    for _, content in _records(results):
        for link in content["inputs"].values():
            if recorded in (link["path"], link["record"]) or (
                link["record"] == str(record_path(Path(recorded)))
            ):
                read_record(record_path(path))


def _below(path: Path, results: Path) -> Path:
    """A path relative to its results folder, whichever links lead to it."""
    for whole in (path.absolute(), path.resolve()):
        if whole.is_relative_to(results):
            return whole.relative_to(results)
    return path


def _names(record: Path, result: Path) -> bool:
    """Whether a record names a file, wherever its results folder has been moved to."""
    try:
        return places.names(read_record(record), result)
    except BrokenLinkError:
        return record == record_path(result)  # whoever reads it is told what is wrong with it


def _may_be(record: Path, wanted: str) -> bool:
    """Whether a changed record may have had an id: by its own word, or by its content."""
    try:
        content = json.loads(record.read_text(encoding="utf-8"))
        ids = (str(content.pop("id")), record_id(content))
    except (OSError, ValueError, KeyError, AttributeError, TypeError):
        return True
    return any(identity.startswith(wanted) for identity in ids)
