"""Thin volumes to simulated thick volumes, case by case and slab by slab."""

import argparse
import json
from pathlib import Path

from thinslice import errors, plugins, store
from thinslice.operators.degradation import thick_of
from thinslice.provenance.job import recorded_job
from thinslice.provenance.records import record_path


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--card", type=json.loads, required=True, help="degradation of config.yaml")
    p.add_argument("--thin", type=Path, required=True, help="store of thin volumes")
    p.add_argument("--out", type=Path, required=True, help="store of thick volumes")
    a = p.parse_args()

    degradation = plugins.build("degradations", a.card)
    thin = store.open_store(a.thin)
    with recorded_job(
        record_path(a.out), rule="degrade", cards={"degradation": a.card}, inputs=[a.thin]
    ) as job:
        with store.writing(a.out) as out:
            for case in thin.cases():
                scan = thin.scan(case)
                about = {**thin.about(case), "target": scan.grid.to_json()}
                out.add(case, thick_of(degradation, scan), **about)
        job.output(a.out)


if __name__ == "__main__":
    errors.run_script(main)
