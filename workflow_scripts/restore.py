"""Restore every test case of one dataset and degradation with one method."""

import argparse
import contextlib
import json
import time
from dataclasses import replace
from pathlib import Path

from thinslice import plugins, provenance, store
from thinslice.seams import Run
from thinslice.volume import Grid


def placed(run: Run) -> contextlib.AbstractContextManager[Run]:
    """The run on a device of its own; interpolation needs none, and no torch import."""
    if run.device == "none":
        return contextlib.nullcontext(run)
    from thinslice.drivers import device

    return device.job(run)


def rests_on(card: dict, job: provenance.Job) -> str:
    """Id of what checkpoints of a scan's own training rest on: the method's code, the scans."""
    hashes = [link["sha256"] for link in job.inputs]
    script = provenance.script_digest("restore.py")
    return provenance.record_id({"card": card, "data": hashes, "script": script})


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--card", type=json.loads, required=True, help="method entry of config.yaml")
    p.add_argument("--thick", type=Path, required=True, help="store of inputs")
    p.add_argument("--weights-record", type=Path, nargs="?", help="of weights, if fitted before")
    p.add_argument("--work", type=Path, required=True, help="checkpoints, kept between tries")
    p.add_argument("--out", type=Path, required=True, help="store of restored volumes")
    p.add_argument("--threads", type=int, default=1)
    p.add_argument("--max-memory-mb", type=int)
    p.add_argument("--device", default="auto", help="none: the method uses no torch")
    a = p.parse_args()

    method = plugins.build("methods", a.card)
    about = plugins.module("methods", a.card).ABOUT
    thick = store.open_store(a.thick)
    memory_gib = a.max_memory_mb / 1024 if a.max_memory_mb else None
    weights = provenance.first_made(a.weights_record) if a.weights_record else None
    inputs = [a.thick, weights] if weights else [a.thick]
    learns_here = a.device != "none" and not weights  # from each scan itself
    seed = a.card.get("settings", {}).get("seed", 0) if learns_here else None  # their default
    seconds = {}
    record = provenance.record_of(a.out)
    with provenance.job(
        record, rule="restore", cards={"method": a.card}, inputs=inputs, seed=seed
    ) as job:
        if weights:
            method.load(weights)
        run = Run(device=a.device, threads=a.threads, max_memory_gib=memory_gib)
        work = a.work / a.card["name"] / rests_on(a.card, job)
        with placed(run) as run, store.writing(a.out) as out:
            for case in thick.cases("test"):
                target = Grid.from_json(thick.about(case)["target"])
                started = time.perf_counter()
                own = replace(run, work=work / case if learns_here else None)
                restored = method.restore(thick.read(case), target, run=own)
                seconds[case] = time.perf_counter() - started
                out.add(case, restored, **thick.about(case))
        job.output(a.out)
        job.fact("wall_s", seconds)
        job.fact("parameters", method.parameters())
        job.fact("fidelity", about.fidelity_of(a.card.get("settings", {})))
        job.fact("device", "cpu" if run.device == "none" else run.device)


if __name__ == "__main__":
    main()
