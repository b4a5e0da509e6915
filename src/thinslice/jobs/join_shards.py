"""A cell put together from its shards, as if one job had restored all of it.

A shard is taken over only if its record says that it was made by the code that is here, with the
same card and from the same thick slices and weights, and if every byte is what that record says.
The joined record rests on those inputs, not on the shards, which are gone afterwards; what they
said of themselves it carries on.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from thinslice import store
from thinslice.provenance.job import Job, script_digest
from thinslice.provenance.records import BrokenLinkError, link_to, read_record, record_path
from thinslice.store import Store, StoredScan

MADE_BY = "restore_shard.py"
SLICES = 64  # read at a time


@dataclass(frozen=True)
class Shard:
    """One shard that may be taken over: its store, and what its record says."""

    store: Store
    record: Mapping[str, Any]

    @property
    def facts(self) -> Mapping[str, Any]:
        return self.record["facts"]


def join(shards: Sequence[Path], cases: Sequence[str], out: Path, job: Job) -> None:
    """The cell's store at ``out`` from those of its shards; its facts into the record of ``job``.

    shards    stores that restore_shard jobs made, their records beside them
    cases     all of the cell's test cases; each must be in one shard

    Raises BrokenLinkError for a shard that is not one of this cell, and for a case too many or too
    few.
    """
    found = [_checked(path, job) for path in shards]
    _refuse_other_cases(found, cases)
    with store.writing(out) as writer:
        for case, scan, about in _scans(found):
            writer.add_slabs(case, scan.grid, scan.modality, _slabs(scan), **about)
    job.output(out)
    for name, value in _facts(found).items():
        job.fact(name, value)
    job.seed = found[0].record["seed"]


def _checked(path: Path, job: Job) -> Shard:
    """A shard, whole and of this cell; BrokenLinkError if it is not."""
    link = link_to(path)
    record = read_record(record_path(path))
    told = {
        "rule": (record["rule"], "restore_shard"),
        "code": (record["script_code"], script_digest(MADE_BY)),
        "method": (record["cards"]["method"], job.cards["method"]),
        "inputs": (_hashes(record["inputs"]), _hashes(job.inputs)),
    }
    for what, (said, expected) in told.items():
        if said != expected:
            raise BrokenLinkError(
                f"{path} is no shard of this cell: its {what} is {said}, here it is {expected}; "
                "delete it and its record to have it made again"
            )
    for why in store.verify(path, link["sha256"]):
        raise BrokenLinkError(f"{path}/{why}; delete it and its record to have it made again")
    return Shard(store.open_store(path), record)


def _hashes(inputs: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    return [(given["path"], given["sha256"]) for given in inputs]


def _refuse_other_cases(shards: Sequence[Shard], cases: Sequence[str]) -> None:
    times = Counter(case for shard in shards for case in shard.store.cases())
    if times != Counter(cases):
        lost = sorted(set(cases) - set(times)) or "none"
        more = sorted(case for case in times if times[case] > 1 or case not in cases) or "none"
        raise BrokenLinkError(
            f"{len(shards)} shards hold {times.total()} cases, expected {len(cases)}: "
            f"missing {lost}, too many {more}; delete results/shards to have them made again"
        )


def _scans(shards: Sequence[Shard]) -> Iterator[tuple[str, StoredScan, dict[str, Any]]]:
    for shard in shards:
        for case in shard.store.cases():
            yield case, shard.store.scan(case), shard.store.about(case)


def _slabs(scan: StoredScan) -> Iterator[np.ndarray]:
    for start in range(0, scan.grid.n, SLICES):
        yield scan.read(slice(start, start + SLICES))


def _facts(shards: Sequence[Shard]) -> dict[str, Any]:
    """What one job would have said, and under ``shards`` who it was that said it.

    An empty shard restored nothing, so its device and its memory are not the cell's.
    """
    worked = [shard for shard in shards if shard.facts["wall_s"]] or list(shards)
    first = worked[0].facts
    works = {"work": first["work"]} if "work" in first else {}
    return {
        "wall_s": {case: s for shard in shards for case, s in shard.facts["wall_s"].items()},
        "parameters": first["parameters"],
        "fidelity": first["fidelity"],
        "device": ", ".join(sorted({shard.facts["device"] for shard in worked})),
        "peak_memory_gib": max(shard.record["peak_memory_gib"] for shard in worked),
        "shards": [_origin(shard) for shard in shards],
        **works,
    }


def _origin(shard: Shard) -> dict[str, Any]:
    """Who made a shard, and how, as its record says."""
    kept = ("id", "git", "machine", "packages", "started", "wall_s", "peak_memory_gib")
    told = {name: shard.record[name] for name in kept}
    return {**told, "device": shard.facts["device"], "cases": shard.store.cases()}
