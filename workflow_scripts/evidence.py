"""All gathered scores, runs and slice pairs: what every analysis answers from."""

import argparse
import json
from pathlib import Path

import pandas as pd

from thinslice import errors
from thinslice.analyses import _evidence
from thinslice.fs.atomic import write_text
from thinslice.provenance.job import recorded_job


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--records", type=Path, nargs="*", default=[], help="records of gather jobs")
    p.add_argument("--pairs", type=Path, nargs="*", default=[], help="records of pairs jobs")
    p.add_argument("--skipped", type=json.loads, required=True, help="cells not run, and why")
    p.add_argument("--out", type=Path, required=True, help="folder of the evidence")
    a = p.parse_args()

    tables = {
        "scores": _evidence.joined(a.records, "scores"),
        "runs": _evidence.joined(a.records, "runs"),
        "pairs": _evidence.pairs(a.pairs),
        "skipped": pd.DataFrame(a.skipped, columns=["cells", "reason"]),
    }
    record = a.out / "evidence.record.json"
    with recorded_job(record, rule="evidence", cards={}, inputs=[*a.records, *a.pairs]) as job:
        for name, table in tables.items():
            write_text(a.out / f"{name}.csv", table.to_csv(index=False))
            job.output(a.out / f"{name}.csv")


if __name__ == "__main__":
    errors.run_script(main)
