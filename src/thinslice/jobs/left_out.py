"""Cases that jobs leave out, with the reason: scans of which nothing can be computed.

A case is left out only where its own scan is the reason (``UnusableCaseError``: too short for the
thick slices, or nothing but air to score). Then every method lacks it alike, and comparisons stay
fair. What a method cannot do is refused instead: leaving out its hard cases would flatter it. A job
refuses, too, where none would be left. The reasons travel in the records of degrade and score,
through gather, to the footnotes of the tables and the page.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from thinslice.errors import Refused, all_refused
from thinslice.provenance.records import read_record, record_path

FACT = "left_out"


class LeftOut(NamedTuple):
    """One case that is left out; ``protocol`` is empty where no protocol has it."""

    case: str
    protocol: str
    reason: str


def of_store(path: Path) -> list[LeftOut]:
    """The cases that the job behind a store left out."""
    facts = read_record(record_path(path))["facts"]
    return [LeftOut(*each) for each in facts.get(FACT, [])]


def fact_of(left_out: Iterable[LeftOut]) -> list[list[str]]:
    """As a record keeps them."""
    return [list(each) for each in left_out]


def refuse_none_left(left_out: Sequence[LeftOut], cases: Iterable[str], what: str) -> None:
    """Refuse where all of some cases are left out, each with its reason."""
    cases = set(cases)
    if cases and cases <= {each.case for each in left_out}:
        reasons = [Refused(f"{what}: case {e.case}: {e.reason}") for e in left_out]
        raise all_refused(reasons)


def rows_of(records: Sequence[Path]) -> Iterator[tuple[str, str]]:
    """(cells, reason) of every case that score jobs of one dataset and degradation left out.

    A case that all methods lack is named once; else its methods are listed.
    """
    methods: dict[tuple[str, LeftOut], list[str]] = {}
    scored = [each for each in map(read_record, records) if each.get("rule") != "segment"]
    for content in scored:
        cell = content["cards"]["cell"]
        for each in content["facts"].get(FACT, []):
            place = f"{cell['dataset']}/{cell['degradation']}"
            methods.setdefault((place, LeftOut(*each)), []).append(_entrant(cell))
    for (place, (case, protocol, reason)), names in methods.items():
        by = f", protocol {protocol}" if protocol else ""
        of = "" if len(names) == len(scored) else f" by {', '.join(names)}"
        yield f"{place}: case {case}{of}{by}", reason


def _entrant(cell: dict[str, Any]) -> str:
    fitted = f" fitted on {cell['fitted_on']}" if cell["fitted_on"] else ""
    return f"{cell['method']}{fitted}"
