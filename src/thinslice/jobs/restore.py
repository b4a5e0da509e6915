"""Restore test cases of one cell: all of them, or those of one shard.

A job restores its cases one after the other into one store; its record says how long each took and
on what device. How a cell is divided into shards changes nothing of what is computed: checkpoints
of a training on the scan itself are found again by whichever job resumes it.
"""

import json
import time
from argparse import ArgumentParser
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from thinslice import plugins, store
from thinslice.errors import in_case
from thinslice.interfaces import Run
from thinslice.operators import padding
from thinslice.provenance.code_digest import code_digest
from thinslice.provenance.job import Job, recorded_job
from thinslice.provenance.records import output_of, read_record, record_id, record_path
from thinslice.runtime.placement import gpu_memory_gib, placed
from thinslice.training.curve import training_seconds
from thinslice.volume import Grid

DIFFERENCES = "differences_from_fp32"  # fact: by case, of tiles computed in float32 too
LEARNING_S = "learning_s"  # fact: by case, the seconds of a training on the scan itself


@dataclass(frozen=True)
class RestoreRequest:
    """What a restore job does; the same for a whole cell and for each of its shards, but ``shard``.

    card      method entry of config.yaml
    thick     store of inputs, with the grids to restore on
    out       store of restored volumes
    weights   fitted beforehand, if the method learns from others
    learned   record of the cell whose job learns from these scans in this one's place, if one does
    work      folder for checkpoints of methods that learn from the scan itself
    run       its device is used only by methods that ``uses_torch``
    shard     (i, n): every n-th test case, from the i-th; None: all
    """

    card: Mapping[str, Any]
    thick: Path
    out: Path
    weights: Path | None
    work: Path
    run: Run
    uses_torch: bool
    shard: tuple[int, int] | None = None
    learned: Path | None = None

    @staticmethod
    def add_flags(p: ArgumentParser) -> None:
        """The flags that restoring a cell and a shard share; ``from_flags`` takes their values."""
        p.add_argument("--card", type=json.loads, required=True, help="method entry of config.yaml")
        p.add_argument("--thick", type=Path, required=True, help="store of inputs")
        p.add_argument(
            "--weights-record", type=Path, nargs="?", help="of weights, if fitted before"
        )
        p.add_argument("--work", type=Path, required=True, help="checkpoints, kept between tries")
        p.add_argument("--out", type=Path, required=True, help="store of restored volumes")
        p.add_argument("--threads", type=int, default=1)
        p.add_argument("--max-memory-mb", type=int)
        p.add_argument("--device", help="of a method that uses torch; left out for any other")
        p.add_argument("--reserved-gpus", type=int, default=0, help="for this job, by the workflow")

    @classmethod
    def from_flags(
        cls,
        card: Mapping[str, Any],
        thick: Path,
        weights_record: Path | None,
        work: Path,
        out: Path,
        threads: int,
        max_memory_mb: int | None,
        device: str | None,
        reserved_gpus: int,
        shard: int | None = None,
        of: int | None = None,
    ) -> "RestoreRequest":
        """From the flags of workflow_scripts/restore.py or restore_shard.py."""
        run = Run(
            device=device or "cpu",
            threads=threads,
            max_memory_gib=max_memory_mb / 1024 if max_memory_mb else None,
            reserved_gpus=reserved_gpus,
        )
        before = learned_before(card, weights_record)
        part = None if shard is None or of is None else (shard, of)
        weights, learned = before.get("weights"), before.get("learned")
        return cls(card, thick, out, weights, work, run, device is not None, part, learned)

    @property
    def inputs(self) -> dict[str, Path]:
        """Inputs of the job's record, by name."""
        before = {"weights": self.weights, "learned": self.learned}
        return {"thick": self.thick, **{name: path for name, path in before.items() if path}}

    @property
    def learns_here(self) -> bool:
        """Whether restoring a scan includes a training on it."""
        return self.card.get("fit") == "volume"

    @property
    def seed(self) -> int:
        """Seed of that training; every method's default is 0."""
        return self.card.get("settings", {}).get("seed", 0)

    @property
    def cases(self) -> list[str]:
        """The test cases to restore."""
        first, step = self.shard or (0, 1)
        return store.open_store(self.thick).cases("test")[first::step]


def learned_before(card: Mapping[str, Any], record: Path | None) -> dict[str, Path]:
    """What a restore job has from other jobs besides volumes, as inputs of its record.

    record   of weights; or of the cell whose job learned from the same scans in this one's place
    """
    if record is None:
        return {}
    if card.get("fit") == "volume":
        return {"learned": record}
    return {"weights": output_of(record, "weights")}


def restore_cases(request: RestoreRequest) -> None:
    """Restore, and write the record; what the method raises is raised, and leaves no store."""
    with recorded_job(
        record_path(request.out),
        rule="restore_shard" if request.shard else "restore",
        cards={"method": request.card},
        inputs=request.inputs,
        plugins=[plugins.module_name("methods", request.card)],
        seed=request.seed if request.learns_here else None,
    ) as job:
        restore(request, job)


def restore(request: RestoreRequest, job: Job) -> None:
    """Restore into a store at ``request.out``; seconds, parameters and device into the record."""
    method = plugins.build("methods", request.card)
    thick = store.open_store(request.thick)
    if request.weights:
        method.load(request.weights)
    work = _work(request, job)
    adapts = bool(getattr(method, "adapts", False))  # fitted beforehand, it learns here too
    learns = request.learns_here or adapts
    if adapts:
        job.seed = request.seed
    seconds, learning_s, slices, differences = {}, {}, {}, {}
    with (
        placed(request.run, uses_torch=request.uses_torch) as run,
        store.writing(request.out) as writer,
    ):
        for case in request.cases:
            grid = Grid.from_json(thick.about(case)["target"])
            started = time.perf_counter()
            case_run = replace(run, work=work / case if learns else None)
            scan = thick.read(case)
            with in_case(case):
                restored = padding.carried(method.restore(scan, grid, run=case_run), scan)
            seconds[case] = time.perf_counter() - started
            slices[case] = grid.n
            if (curve := work / case / "curve.csv").is_file() and learns:
                learning_s[case] = training_seconds(curve)
            if getattr(method, "differences", None):
                differences[case] = method.differences.to_json()
            writer.add(case, restored, **thick.about(case))
    job.output("restored", request.out)
    job.fact("wall_s", seconds)
    job.fact("slices", slices)
    if learns:
        job.fact(LEARNING_S, learning_s)  # of wall_s; more where an earlier try was stopped
    job.fact("parameters", method.parameters())
    fidelity = method.about.fidelity_of(request.card.get("settings", {}))
    job.fact("fidelity", f"{fidelity}, given weights" if "weights" in request.card else fidelity)
    job.fact("device", run.device)
    job.fact("gpu_memory_gib", gpu_memory_gib(run.device))
    if hasattr(method, "precision_on") and run.device:
        job.fact("precision", method.precision_on(run.device))
    if differences:
        job.fact(DIFFERENCES, differences)
    if learns:
        job.fact("work", str(work))
    if request.shard:
        job.fact("shard", list(request.shard))


def _work(request: RestoreRequest, job: Job) -> Path:
    """Folder of checkpoints: the method's own, or that of the one that learned in its place.

    There its training is found at its end; if it was removed meanwhile, it is made again.
    """
    if request.learned:
        return Path(read_record(request.learned)["facts"]["work"])
    return request.work / request.card["name"] / _checkpoint_id(request.card, job)


def _checkpoint_id(card: Mapping[str, Any], job: Job) -> str:
    """Id of what checkpoints of a training on the scan rest on: method, inputs, this code."""
    return record_id({"card": card, "data": job.input_hashes(), "code": code_digest(__name__)})
