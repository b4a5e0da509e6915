"""Fit one method on the training cases of one dataset and degradation."""

import argparse
import json
import shutil
import sys
from functools import partial
from pathlib import Path

from thinslice import __version__, errors, plugins, store
from thinslice.fs.locks import locked
from thinslice.interfaces import Pair, Run
from thinslice.provenance.job import recorded_job, script_digest
from thinslice.provenance.records import record_id, record_path
from thinslice.runtime import device
from thinslice.runtime.processes import EndedError, peak_memory_gib
from thinslice.training import fitted_on
from thinslice.training.distributed import together


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--card", type=json.loads, required=True, help="method entry of config.yaml")
    p.add_argument("--thick", type=Path, required=True, help="store of inputs")
    p.add_argument("--thin", type=Path, required=True, help="store of truths")
    p.add_argument("--work", type=Path, required=True, help="checkpoints, kept between tries")
    p.add_argument("--out", type=Path, required=True, help="weights file")
    p.add_argument("--curve", type=Path, required=True, help="csv: step, loss, val")
    p.add_argument("--threads", type=int, default=1)
    p.add_argument("--device", default="auto")
    p.add_argument("--gpus", type=int, default=1, help="that train together, a process for each")
    p.add_argument("--reserved-gpus", type=int, default=0, help="for this job, by the workflow")
    a = p.parse_args()

    record = record_path(a.out)
    seed = a.card.get("settings", {}).get("seed", 0)  # every method's default
    with recorded_job(
        record, rule="train", cards={"method": a.card}, inputs=[a.thick, a.thin], seed=seed
    ) as job:
        hashes = [link["sha256"] for link in job.inputs]
        # What checkpoints rest on: the card holds the method's code, the script's reads the data.
        rests_on = {"card": a.card, "data": hashes, "script": script_digest("train.py")}
        work = a.work / a.out.parent.name / record_id(rests_on)
        run = Run(device=a.device, threads=a.threads, reserved_gpus=a.reserved_gpus)
        with device.team(run, a.gpus) as runs:
            devices = ", ".join(dict.fromkeys(run.device for run in runs))
            threads = f"{runs[0].threads} threads" + (" each" if runs[1:] else "")
            parts = f"{len(runs)} processes, " if runs[1:] else ""
            print(f"{a.card['name']} on {a.thick}: {parts}{devices}, {threads}", flush=True)
            try:
                together(partial(fit, a, work), runs)
            except EndedError as ended:
                sys.exit(str(ended))
        fitted = plugins.build("methods", a.card)
        fitted.load(a.out)
        job.output(a.out)
        job.output(a.curve)
        job.fact("parameters", fitted.parameters())
        job.fact("device", devices)
        job.fact("processes", len(runs))
        if runs[1:]:  # the record's own figure is of this process, which only waits
            job.fact("process_peak_memory_gib", peak_memory_gib())


def fit(a: argparse.Namespace, work: Path, run: Run) -> None:
    """What each process does; the first writes the weights and the curve."""
    method = plugins.build("methods", a.card)
    thick, thin = store.open_store(a.thick), store.open_store(a.thin)
    pairs = {
        split: [Pair(case, thick.scan(case), thin.scan(case)) for case in thick.cases(split)]
        for split in ("train", "val")
    }
    if run.rank:
        method.fit(pairs["train"], pairs["val"], work=work, run=run)
        return
    with locked(work / "fit"):  # a process of a killed job may be dying still
        curve = method.fit(pairs["train"], pairs["val"], work=work, run=run)
        about = {
            "thinslice": __version__,
            "card": a.card,
            "train": thick.cases("train"),
            "val": thick.cases("val"),
            "fitted_on": fitted_on.of_scans(
                fitted_on.of_scan(pair.thick, fitted_on.kernel_of(thick.about(pair.case)["source"]))
                for pair in pairs["train"]
            ),
        }
        method.save(a.out, about)
        shutil.copyfile(curve, a.curve)


if __name__ == "__main__":
    errors.run_script(main)
