"""What ``thinslice audit`` prints: links, rows, and the conclusion; the same as JSON."""

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from thinslice.audit import recompute
from thinslice.audit.chain import Link
from thinslice.audit.summary import Summary
from thinslice.audit.verify import Verdict
from thinslice.provenance.records import BrokenLinkError, read_record

COSTS = ("started", "wall_s", "peak_memory_gib")


def row(table: Path, number: int) -> str:
    """Every cell of a row that is not empty."""
    cells = recompute.row(table, number)
    cells.pop("records", None)
    return "row  " + "; ".join(f"{name} {value}" for name, value in cells.items() if value)


def link(each: Link, *, verbose: bool) -> Iterator[str]:
    """One step of the chain."""
    margin = "  " * each.depth
    yield f"{margin}{each.rule} {each.record_id}"
    for path, sha256 in each.made:
        yield f"{margin}  sha256 {sha256[:16]}  {path}"
    if verbose:
        yield from (f"{margin}  {line}" for line in _settings(each))
    yield from (f"{margin}  BROKEN: {problem}" for problem in each.problems)
    yield from (f"{margin}  REMOVED: {path}" for path in each.removed)


def conclusion(verdict: Verdict) -> Iterator[str]:
    """Notes, then what is broken or not here, or that every link holds."""
    yield from (f"note    {note}" for note in verdict.notes)
    if verdict.problems:
        yield from (f"BROKEN  {problem}" for problem in verdict.problems)
        yield "the chain is broken"
        yield from verdict.remedy
        return
    yield from (f"recomputed {words}: equal" for words in verdict.recomputed)
    yield from (f"made again {words}" for words in verdict.made_again)
    if verdict.removed:
        yield (
            f"every record holds, but {len(verdict.removed)} volume(s) were removed and cannot be "
            "verified; to make them and what was made from them again (with the same --configfile, "
            "if there was one, at the end of both): snakemake --cores 1 "
            f"{' '.join(verdict.removed)} && snakemake --cores 1"
        )
    yield from (f"NOT HERE  {each}" for each in verdict.elsewhere)
    if verdict.elsewhere:
        yield "what is here holds; what is not here could not be checked"
    if verdict.status == 0:
        yield "every link holds"


def as_json(about: Summary | None, verdict: Verdict) -> dict[str, Any]:
    """The same for programs; ``status`` is the exit status."""
    links = [{**asdict(each), "record": str(each.record)} for each in verdict.links]
    return {
        "status": verdict.status,
        "summary": about.facts if about else None,
        "lines": about.lines() if about else [],
        "links": links,
        "recomputed": verdict.recomputed,
        "made_again": verdict.made_again,
        "problems": verdict.problems,
        "removed": verdict.removed,
        "elsewhere": verdict.elsewhere,
        "notes": verdict.notes,
    }


def _settings(each: Link) -> Iterator[str]:
    """Cards, seed, commit, machine and cost of the job behind a link."""
    try:
        content = read_record(each.record)
    except BrokenLinkError:
        return
    for key, cards in content["cards"].items():
        for card in cards if isinstance(cards, list) else [cards]:
            words = ", ".join(f"{name} {value}" for name, value in sorted(card.items()))
            yield f"{key}: {words}"
    yield f"command: {' '.join(content['command'])}"
    git, machine = content["git"], content["machine"]
    yield f"seed {content['seed']}; commit {git['commit']}, dirty {git['dirty']}"
    yield "; ".join(f"{key} {content[key]}" for key in COSTS) + f"; host {machine['host']}"
    yield "packages: " + ", ".join(f"{name} {v}" for name, v in content["packages"].items())
