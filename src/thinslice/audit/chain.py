"""Verify the chain behind a number: every link from a table's cell back to the raw scan.

A link is a record and its outputs. It holds if the record's id is the hash of its content, if every
output still has the hash in the record, if every input is what the record of its making says, and
if the code that ran is the present code; an installation without the workflow's scripts may be of
another version, so there other code is a note. Nothing is repaired; the first broken link is
named. Where a volume was removed on purpose its record still holds, but its bytes cannot be
checked: such volumes are listed apart.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from thinslice import plugins, store
from thinslice.audit.cards import KIND_OF_CARD
from thinslice.provenance import tombstone
from thinslice.provenance.code_digest import code_digest
from thinslice.provenance.environment import versions
from thinslice.provenance.job import SCRIPTS, script_digest
from thinslice.provenance.records import (
    BrokenLinkError,
    OtherFormatError,
    claimed_sha256,
    read_record,
    record_path,
    sha256_of,
)

GONE = "gone"


@dataclass(frozen=True)
class Link:
    """One step of the chain; ``problems`` is empty if it holds."""

    depth: int
    rule: str
    record_id: str
    record: Path
    made: tuple[tuple[str, str], ...]  # (path, sha256)
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()  # what may change last digits without breaking the link
    removed: tuple[str, ...] = ()  # volumes that cannot be checked


@dataclass
class Walk:
    """A walk from one record down to raw files; every record is visited once.

    only    of the many score records that a gather job joined, the ids to follow; all if empty
    """

    only: frozenset[str] = frozenset()
    _seen: dict[Path, str | None] = field(default_factory=dict)  # record -> its id, if readable

    def links(self, record: Path, expected_id: str | None = None, depth: int = 0) -> Iterator[Link]:
        """The link of ``record``, then those of its inputs, depth first."""
        if record in self._seen:
            seen = self._seen[record]
            if seen and (problem := _identity(seen, record, expected_id)):
                yield Link(depth, "again", seen, record, (), (problem,))
            return
        self._seen[record] = None
        try:
            content = read_record(record)
        except BrokenLinkError as error:
            if isinstance(error, OtherFormatError) and expected_id in (None, error.identity):
                raise  # unchanged, but not for this version to read
            made = ((str(record), "?"),)
            yield Link(depth, "?", expected_id or "?", record, made, (str(error),))
            return
        self._seen[record] = content["id"]
        moved = _identity(content["id"], record, expected_id)
        unlike, absent = _code(content)
        twins = _twins(content, record)
        problems = [*([moved] if moved else []), *_outputs(content), *twins, *unlike]
        made = tuple((output["path"], output["sha256"]) for output in content["outputs"].values())
        notes = (*_versions(content), *absent)
        files = made or ((str(record), sha256_of(record)),)
        link = Link(depth, content["rule"], content["id"], record, files, tuple(problems), notes)
        yield replace(link, removed=tuple(_removed(content)))
        for source in content["inputs"].values():
            yield from self._input(content, source, depth + 1)

    def _input(
        self, content: Mapping[str, Any], source: Mapping[str, Any], depth: int
    ) -> Iterator[Link]:
        made = ((source["path"], source["sha256"]),)
        if source["record"] is None:
            yield Link(depth, "raw", "-", Path(source["path"]), made, tuple(_raw(source)))
            return
        if content["rule"] == "gather" and self.only and source["record_id"] not in self.only:
            return
        record = Path(source["record"])
        if problem := _remade(source):
            yield Link(depth, "input", source["record_id"], record, made, (problem,))
        yield from self.links(record, source["record_id"], depth)


def _identity(own_id: str, record: Path, expected_id: str | None) -> str | None:
    if expected_id is None or own_id == expected_id:
        return None
    return (
        f"{record} is now record {own_id}, but the next link was made from {expected_id}: "
        "run the workflow again"
    )


def _outputs(content: Mapping[str, Any]) -> Iterator[str]:
    """Outputs that are not what the record says."""
    for output in content["outputs"].values():
        path = Path(output["path"])
        if tombstone.removed(path, content):
            continue
        if path.is_dir():
            yield from (f"{path}/{why}" for why in store.verify(path, output["sha256"]))
        else:
            yield from _file(path, output["sha256"])


def _twins(content: Mapping[str, Any], record: Path) -> Iterator[str]:
    """Records beside the other stores of a job that made two, where they are not this record."""
    paths = (record_path(Path(output["path"])) for output in content["outputs"].values())
    for beside in sorted({*paths} - {record}):
        if not beside.exists():
            continue
        try:
            if read_record(beside)["id"] != content["id"]:
                yield f"{beside} is not the record {content['id']} of what it lies beside"
        except BrokenLinkError as error:
            yield str(error)


def _removed(content: Mapping[str, Any]) -> Iterator[str]:
    """Outputs of a record that were removed to free disk space."""
    paths = (Path(output["path"]) for output in content["outputs"].values())
    yield from (str(path) for path in paths if tombstone.removed(path, content))


def _file(path: Path, sha256: str) -> Iterator[str]:
    try:
        present = sha256_of(path)
    except BrokenLinkError as error:
        yield str(error)
        return
    if present != sha256:
        yield f"{path} was changed: sha256 {present[:12]}, recorded {sha256[:12]}"


def _raw(source: Mapping[str, Any]) -> Iterator[str]:
    yield from _file(Path(source["path"]), source["sha256"])


def _remade(source: Mapping[str, Any]) -> str | None:
    """Whether the record of an input still claims the hash the input had when it was used."""
    if source["path"] == source["record"]:
        return next(_raw(source), None)
    try:
        claimed = claimed_sha256(read_record(Path(source["record"])), Path(source["path"]))
    except BrokenLinkError:
        return None  # the record's own link says so
    if claimed != source["sha256"]:
        return f"{source['path']} was made again after it was used; run the workflow again"
    return None


def _versions(content: Mapping[str, Any]) -> Iterator[str]:
    """Packages whose version differs from the one installed here."""
    here = versions()
    for name, then in content["packages"].items():
        if here.get(name) != then:
            yield f"{name} was {then}, is {here.get(name, 'not installed')} here"


def _code(content: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """Plug-ins and scripts whose present code is not the code that ran; and, without a checkout,
    those that are not here, or here in another version."""
    unlike, absent = [], []
    compared: list[tuple[str, str | None, str]] = [
        (f"code of {card['name']}", _digest(key, card), card["code"])
        for key, cards in content["cards"].items()
        for card in (cards if isinstance(cards, list) else [cards])
        if "code" in card
    ]
    if content["script_code"] is not None:
        script = content["command"][0]
        compared.append((script, script_digest(script), content["script_code"]))
    for name, here, then in compared:
        if here != then and not SCRIPTS.is_dir():
            gone = here in (None, GONE)
            there = "not part of" if gone else f"{here}, not {then}, in"
            absent.append(f"{name} is {there} this installation: not compared")
        elif here != then:
            unlike.append(f"{name} is {here or GONE} here, {then} made this")
    return unlike, absent


def same_code(key: str, card: Mapping[str, Any]) -> bool:
    """Whether the plug-in of a card is here, with the code that ran."""
    return _digest(key, card) == card.get("code")


def _digest(key: str, card: Mapping[str, Any]) -> str:
    """Digest of the present code that a card names; "gone" if there is none."""
    try:
        return code_digest(plugins.module_name(KIND_OF_CARD[key], card))
    except LookupError:
        return GONE
