"""Join a cell from its shards, as if one job had restored all of it.

A shard is used only if its record shows that it was made by the present code, with the same card
and from the same thick slices and weights, and if every byte is what that record says. The joined
record depends on those inputs, not on the shards, which are deleted afterwards; what their records
say of time, memory and machine it carries on.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from thinslice import plugins, store
from thinslice.jobs.restore import DIFFERENCES, LEARNING_S, learned_before
from thinslice.provenance.job import Job, input_hashes, recorded_job, script_digest
from thinslice.provenance.records import (
    BrokenLinkError,
    link_to,
    read_record,
    record_path,
)
from thinslice.store import Store, StoredScan

MADE_BY = "restore_shard.py"
RESTORED_BY = "thinslice.jobs.restore"  # the shards, so the record keeps its digests too
SLICES = 64  # read at a time
AGAIN = "delete it and its record to have it made again"


@dataclass(frozen=True)
class Shard:
    """One shard of the cell: its store, and what its record says."""

    store: Store
    record: Mapping[str, Any]

    @property
    def facts(self) -> Mapping[str, Any]:
        return self.record["facts"]


def join_shards(
    shards: Sequence[Path],
    card: Mapping[str, Any],
    thick: Path,
    out: Path,
    weights_record: Path | None = None,
) -> None:
    """Join the shards of one cell into its store at ``out``; they may be deleted afterwards.

    card              method entry of config.yaml
    thick             store of inputs
    weights_record    of what the method learned in other jobs, if it did
    """
    inputs = {"thick": thick, **learned_before(card, weights_record)}
    with recorded_job(
        record_path(out),
        rule="restore",
        cards={"method": card},
        inputs=inputs,
        plugins=[plugins.module_name("methods", card), RESTORED_BY],
    ) as job:
        join(shards, store.open_store(thick).cases("test"), out, job)


def join(shards: Sequence[Path], cases: Sequence[str], out: Path, job: Job) -> None:
    """Write the cell's store at ``out`` from its shards, and its facts into the record of ``job``.

    shards    stores that restore_shard jobs made, their records beside them
    cases     all of the cell's test cases; each must be in one shard

    BrokenLinkError for a shard of another cell, and for a case too many or too few.
    """
    parts = [_checked(path, job) for path in shards]
    _refuse_other_cases(parts, cases)
    with store.writing(out) as writer:
        for case, scan, about in _scans(parts):
            slabs, padding = _slabs(scan), scan.padding
            writer.add_slabs(case, scan.grid, scan.modality, slabs, padding=padding, **about)
    job.output("restored", out)
    for name, value in _facts(parts).items():
        job.fact(name, value)
    job.seed = parts[0].record["seed"]


def _checked(path: Path, job: Job) -> Shard:
    """A shard, whole and of this cell; BrokenLinkError if it is not."""
    link = link_to(path)
    record = read_record(record_path(path))
    comparisons = {
        "rule": (record["rule"], "restore_shard"),
        "code": (record["script_code"], script_digest(MADE_BY)),
        "method": (record["cards"]["method"], job.cards["method"]),
        "inputs": (input_hashes(record["inputs"]), job.input_hashes()),
    }
    for what, (recorded, expected) in comparisons.items():
        if recorded != expected:
            raise BrokenLinkError(
                f"{path} is no shard of this cell: its {what} is {recorded}, here it is "
                f"{expected}; {AGAIN}"
            )
    for why in store.verify(path, link["sha256"]):
        raise BrokenLinkError(f"{path}/{why}; {AGAIN}")
    return Shard(store.open_store(path), record)


def _refuse_other_cases(shards: Sequence[Shard], cases: Sequence[str]) -> None:
    times = Counter(case for shard in shards for case in shard.store.cases())
    if times != Counter(cases):
        missing = sorted(set(cases) - set(times)) or "none"
        extra = sorted(case for case in times if times[case] > 1 or case not in cases) or "none"
        raise BrokenLinkError(
            f"{len(shards)} shards hold {times.total()} cases, expected {len(cases)}: "
            f"missing {missing}, too many {extra}; delete results/shards to have them made again"
        )


def _scans(shards: Sequence[Shard]) -> Iterator[tuple[str, StoredScan, dict[str, Any]]]:
    for shard in shards:
        for case in shard.store.cases():
            yield case, shard.store.scan(case), shard.store.about(case)


def _slabs(scan: StoredScan) -> Iterator[np.ndarray]:
    for start in range(0, scan.grid.n, SLICES):
        yield scan.read(slice(start, start + SLICES))


def _facts(shards: Sequence[Shard]) -> dict[str, Any]:
    """The facts that one job would have recorded, and under ``shards`` the origin of each.

    An empty shard restored nothing, so its device and its memory are not the cell's.
    """
    worked = [shard for shard in shards if shard.facts["wall_s"]] or list(shards)
    first = worked[0].facts
    same = {"work": first["work"]} if "work" in first else {}
    numbers = dict.fromkeys(s.facts["precision"] for s in worked if "precision" in s.facts)
    if numbers:  # several, where only some of the machines have units for bfloat16
        same["precision"] = ", ".join(numbers)
    by_case = [name for name in (LEARNING_S, DIFFERENCES) if any(name in s.facts for s in worked)]
    on_gpus = [shard.facts["gpu_memory_gib"] for shard in worked]
    return {
        **{
            name: {case: n for shard in shards for case, n in shard.facts.get(name, {}).items()}
            for name in ("wall_s", "slices", *by_case)
        },
        "parameters": first["parameters"],
        "fidelity": first["fidelity"],
        "device": ", ".join(sorted({shard.facts["device"] for shard in worked})),
        "peak_memory_gib": max(shard.record["peak_memory_gib"] for shard in worked),
        "gpu_memory_gib": max((gib for gib in on_gpus if gib is not None), default=None),
        "shards": [_origin(shard) for shard in shards],
        **same,
    }


def _origin(shard: Shard) -> dict[str, Any]:
    """Where and how a shard was made, as its record says."""
    names = ("id", "git", "machine", "packages", "started", "wall_s", "peak_memory_gib")
    origin = {name: shard.record[name] for name in names}
    return {**origin, "device": shard.facts["device"], "cases": shard.store.cases()}
