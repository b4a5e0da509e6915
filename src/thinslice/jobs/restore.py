"""The restored test cases of one cell, whole or a shard of it: what restore jobs do.

A job restores the cases it is given, one after the other, into one store, and says in its record
how long each took and on what. How a cell is cut into shards changes nothing of what is computed:
checkpoints of a scan's own training are found again too, whichever job goes on from them.
"""

import argparse
import contextlib
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from thinslice import plugins, store
from thinslice.interfaces import Run
from thinslice.provenance.code_digest import code_digest
from thinslice.provenance.job import Job
from thinslice.provenance.records import output_of, record_id
from thinslice.volume import Grid

NO_TORCH = "none"  # the device of methods that need none


@dataclass(frozen=True)
class RestoreRequest:
    """What a restore job is told; the same for a whole cell and for each shard of it.

    card      method entry of config.yaml
    thick     store of inputs, with the grid asked for
    weights   fitted beforehand, if the method learns from others
    work      folder for checkpoints of methods that learn from the scan itself
    """

    card: Mapping[str, Any]
    thick: Path
    weights: Path | None
    work: Path
    run: Run

    @classmethod
    def by(cls, a: argparse.Namespace) -> "RestoreRequest":
        """As the flags of ``add_flags`` say."""
        memory_gib = a.max_memory_mb / 1024 if a.max_memory_mb else None
        weights = output_of(a.weights_record, "weights") if a.weights_record else None
        run = Run(
            device=a.device,
            threads=a.threads,
            max_memory_gib=memory_gib,
            reserved_gpus=a.reserved_gpus,
        )
        return cls(a.card, a.thick, weights, a.work, run)

    @property
    def inputs(self) -> dict[str, Path]:
        """What the job's record rests on."""
        return {"thick": self.thick, **({"weights": self.weights} if self.weights else {})}

    @property
    def learns_here(self) -> bool:
        """Whether restoring a scan is a training of its own."""
        return self.run.device != NO_TORCH and self.weights is None

    @property
    def seed(self) -> int | None:
        """Of that training; every method's default is 0."""
        return self.card.get("settings", {}).get("seed", 0) if self.learns_here else None


def add_flags(p: argparse.ArgumentParser) -> None:
    """What both scripts that restore are told; ``Asked.by`` understands it."""
    p.add_argument("--card", type=json.loads, required=True, help="method entry of config.yaml")
    p.add_argument("--thick", type=Path, required=True, help="store of inputs")
    p.add_argument("--weights-record", type=Path, nargs="?", help="of weights, if fitted before")
    p.add_argument("--work", type=Path, required=True, help="checkpoints, kept between tries")
    p.add_argument("--out", type=Path, required=True, help="store of restored volumes")
    p.add_argument("--threads", type=int, default=1)
    p.add_argument("--max-memory-mb", type=int)
    p.add_argument("--device", default="auto", help="none: the method uses no torch")
    p.add_argument("--reserved-gpus", type=int, default=0, help="for this job, by the workflow")


def restore(asked: RestoreRequest, cases: Sequence[str], out: Path, job: Job) -> None:
    """The cases restored into a store at ``out``; seconds, parameters and device into the record.

    Raises what the method raises; then nothing is left at ``out``.
    """
    method = plugins.build("methods", asked.card)
    thick = store.open_store(asked.thick)
    if asked.weights:
        method.load(asked.weights)
    work = asked.work / asked.card["name"] / _rests_on(asked.card, job)
    seconds = {}
    with _placed(asked.run) as run, store.writing(out) as writer:
        for case in cases:
            target = Grid.from_json(thick.about(case)["target"])
            started = time.perf_counter()
            own = replace(run, work=work / case if asked.learns_here else None)
            restored = method.restore(thick.read(case), target, run=own)
            seconds[case] = time.perf_counter() - started
            writer.add(case, restored, **thick.about(case))
    about = plugins.module("methods", asked.card).ABOUT
    job.output("restored", out)
    job.fact("wall_s", seconds)
    job.fact("parameters", method.parameters())
    job.fact("fidelity", about.fidelity_of(asked.card.get("settings", {})))
    job.fact("device", "cpu" if run.device == NO_TORCH else run.device)
    if asked.learns_here:
        job.fact("work", str(work))


def _placed(run: Run) -> contextlib.AbstractContextManager[Run]:
    """The run on a device of its own; interpolation needs none, and no torch import."""
    if run.device == NO_TORCH:
        return contextlib.nullcontext(run)
    from thinslice.runtime import device

    return device.job(run)


def _rests_on(card: Mapping[str, Any], job: Job) -> str:
    """Id of what checkpoints of a scan's own training rest on: the method's code, the scans."""
    return record_id({"card": card, "data": job.input_hashes(), "code": code_digest(__name__)})
