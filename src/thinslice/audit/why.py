"""Why a result would be made again: what changed since, in words.

The records of the result, and of everything upstream of it, are compared with the present code
(module by module), config (setting by setting) and inputs. The bytes of volumes and raw scans are
not read; ``thinslice audit`` does that.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from thinslice.audit.cards import changed_cards
from thinslice.audit.inputs import changed_inputs, fitted_on
from thinslice.provenance import tombstone
from thinslice.provenance.job import modules_of
from thinslice.provenance.records import (
    BrokenLinkError,
    read_record,
    sha256_of,
)

STORE = ".zarr"


class Change(NamedTuple):
    """One change, in words, and the result that is made again because of it."""

    words: str
    result: str


def changes(record: Path, config: Mapping[str, Any]) -> Iterator[Change]:
    """Everything that changed since a result was made, upstream of it too; the latest step first.

    Paths in records count from the folder the workflow ran in, which is the current one.
    """
    visited, todo = set(), [record]
    while todo:
        record = todo.pop(0)
        if record in visited:
            continue
        visited.add(record)
        try:
            content = read_record(record)
        except BrokenLinkError as error:
            yield Change(str(error), str(record))
            continue
        result = _result(content, record)
        for words in dict.fromkeys(_changes_of(content, record, config)):
            yield Change(words, result)
        links = content["inputs"].values()
        todo += [Path(link["record"]) for link in links if link["record"] is not None]


def _result(content: Mapping[str, Any], record: Path) -> str:
    """The first file a job made, to name the job by; its record, if it made no file."""
    return next((output["path"] for output in content["outputs"].values()), str(record))


def _changes_of(
    content: Mapping[str, Any], record: Path, config: Mapping[str, Any]
) -> Iterator[str]:
    yield from _changed_code(content)
    yield from changed_cards(content["cards"], config, fitted_on(content, record))
    yield from changed_inputs(content, record, config)
    yield from _changed_outputs(content, record)
    yield from _changed_inputs(content)


def _changed_code(content: Mapping[str, Any]) -> Iterator[str]:
    """Modules whose digest is another, that are new behind this job, or gone."""
    then = content["modules"]
    try:
        now = modules_of(content["command"][0], content["plugins"]) if then else {}
    except LookupError as error:
        yield f"code: {error.args[0]}"
        return
    for module in sorted({*then, *now}):
        if module not in now:
            yield f"code: {module} is no longer used"
        elif module not in then:
            yield f"code: {module} is used now"
        elif then[module] != now[module]:
            yield f"code: {module} changed"


def _changed_outputs(content: Mapping[str, Any], record: Path) -> Iterator[str]:
    """Files that are not what their record says. A store that is missing is made when needed."""
    for output in content["outputs"].values():
        path = Path(output["path"])
        if path.suffix == STORE and (not path.exists() or tombstone.removed(path, content)):
            continue
        try:
            if sha256_of(path) != output["sha256"]:
                yield f"result: {path} is not what {record} says"
        except BrokenLinkError as error:
            yield f"result: {error}"


def _changed_inputs(content: Mapping[str, Any]) -> Iterator[str]:
    """Inputs that were made again since, and raw files that are missing."""
    for name, link in content["inputs"].items():
        if link["record"] is None:
            if not Path(link["path"]).exists():
                yield f"input: the raw file {link['path']} is missing"
            continue
        try:
            identity = read_record(Path(link["record"]))["id"]
        except BrokenLinkError:
            continue  # that record's own change
        if identity != link["record_id"]:
            named = "" if name == link["path"] else f" ({name})"
            yield f"input: {link['path']}{named} was made again"
