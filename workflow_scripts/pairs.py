"""Compare thin and acquired thick slices by their distance along z, case by case."""

import argparse
from pathlib import Path

from thinslice import errors
from thinslice.jobs.case_workers import CaseWorkers
from thinslice.jobs.pairs import pairs

p = argparse.ArgumentParser(description=__doc__)
p.add_argument("--thin", type=Path, required=True, help="store of thin volumes")
p.add_argument("--thick", type=Path, required=True, help="store of thick volumes")
p.add_argument("--sim", required=True, help="'sim' where the scans are simulated, or empty")
p.add_argument("--out", type=Path, required=True, help="csv: case, relation, metric, value ...")
CaseWorkers.add_flags(p)


def main() -> None:
    flags = vars(p.parse_args())
    run = CaseWorkers.from_flags(*(flags.pop(name) for name in ("threads", "dask", "work")))
    pairs(**flags, run=run)


if __name__ == "__main__":
    errors.run_script(main)
