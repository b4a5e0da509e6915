"""Fit one method on the training cases of one dataset and degradation."""

import argparse
import json
import shutil
from pathlib import Path

from thinslice import domain, plugins, provenance, store
from thinslice.drivers import device
from thinslice.seams import Pair, Run


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
    a = p.parse_args()

    method = plugins.build("methods", a.card)
    thick, thin = store.open_store(a.thick), store.open_store(a.thin)
    pairs = {
        split: [Pair(case, thick.scan(case), thin.scan(case)) for case in thick.cases(split)]
        for split in ("train", "val")
    }
    record = provenance.record_of(a.out)
    seed = a.card.get("settings", {}).get("seed", 0)  # every method's default
    with provenance.job(
        record, rule="train", cards={"method": a.card}, inputs=[a.thick, a.thin], seed=seed
    ) as job:
        hashes = [link["sha256"] for link in job.inputs]
        # What checkpoints rest on: the card holds the method's code, the script's reads the data.
        rests_on = {"card": a.card, "data": hashes, "script": provenance.script_digest("train.py")}
        work = a.work / a.out.parent.name / provenance.record_id(rests_on)
        with device.job(Run(device=a.device, threads=a.threads)) as run:
            print(f"{a.card['name']} on {a.thick}: {run.device}, {run.threads} threads", flush=True)
            curve = method.fit(pairs["train"], pairs["val"], work=work, run=run)
        about = {
            "card": a.card,
            "train": thick.cases("train"),
            "val": thick.cases("val"),
            "fitted_on": domain.of_scans(
                domain.of_scan(pair.thick, domain.kernel_of(thick.about(pair.case)["source"]))
                for pair in pairs["train"]
            ),
        }
        method.save(a.out, about)
        shutil.copyfile(curve, a.curve)
        job.output(a.out)
        job.output(a.curve)
        job.fact("parameters", method.parameters())
        job.fact("device", run.device)


if __name__ == "__main__":
    main()
