"""Compare thin and acquired thick slices by their distance along z, case by case."""

import argparse
from pathlib import Path

import pandas as pd

from thinslice import errors, store
from thinslice.fs.atomic import write_text
from thinslice.jobs import pairs
from thinslice.metrics.slice_pairs import slice_pairs
from thinslice.provenance.job import recorded_job
from thinslice.provenance.records import record_path
from thinslice.workflow.cells import ACQUIRED


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--thin", type=Path, required=True)
    p.add_argument("--thick", type=Path, required=True)
    p.add_argument("--sim", required=True, help="'sim' where the scans are simulated, or empty")
    p.add_argument("--out", type=Path, required=True, help="csv: case, relation, metric, value ...")
    a = p.parse_args()

    with recorded_job(record_path(a.out), rule="pairs", cards={}, inputs=[a.thin, a.thick]) as job:
        thin, thick = store.open_store(a.thin), store.open_store(a.thick)
        rows = []
        for case in thick.cases():
            about = {key: thin.about(case)[key] for key in ("patient", "split")}
            cell = {"dataset": a.out.stem, "degradation": ACQUIRED, "case": case, "sim": a.sim}
            for row in pairs.pair_rows(slice_pairs(thin.read(case), thick.read(case))):
                rows.append({**cell, **about, **row})
        write_text(a.out, pd.DataFrame(rows).to_csv(index=False))
        job.output(a.out)


if __name__ == "__main__":
    errors.run_script(main)
