"""Score every restored case of one cell by every protocol: one long table, one number a row."""

import argparse
import json
from pathlib import Path

import pandas as pd

from thinslice import errors, plugins, store
from thinslice.fs.atomic import write_text
from thinslice.jobs import score
from thinslice.provenance.job import recorded_job
from thinslice.provenance.records import read_record, record_path


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--protocols", type=json.loads, required=True, help="protocols of config.yaml")
    p.add_argument("--degradation", type=json.loads, required=True, help="how thick came about")
    p.add_argument("--cell", type=json.loads, required=True, help="columns that name the cell")
    p.add_argument("--restored", type=Path, required=True)
    p.add_argument("--thin", type=Path, required=True)
    p.add_argument("--thick", type=Path, required=True)
    p.add_argument("--out", type=Path, required=True, help="csv: case, protocol, metric, value ...")
    a = p.parse_args()

    protocols = {card["name"]: plugins.build("protocols", card) for card in a.protocols}
    made_by = score.degradation_of(a.degradation)
    cards = {"protocols": a.protocols, "degradation": a.degradation, "cell": a.cell}
    inputs = [a.restored, a.thin, a.thick]
    with recorded_job(record_path(a.out), rule="score", cards=cards, inputs=inputs) as job:
        restored, thin, thick = (store.open_store(path) for path in inputs)
        made = read_record(record_path(a.restored))["facts"]
        rows = []
        for case in restored.cases():
            question = score.question(
                restored.read(case), thin.read(case), thick.read(case), made_by
            )
            about = {"case": case, "patient": thin.about(case)["patient"]}
            about["fidelity"] = made["fidelity"]
            rows += [{**a.cell, **about, **row} for row in score.rows(question, protocols)]
        write_text(a.out, pd.DataFrame(rows).to_csv(index=False))
        job.output(a.out)
        job.fact("cases", len(restored.cases()))


if __name__ == "__main__":
    errors.run_script(main)
