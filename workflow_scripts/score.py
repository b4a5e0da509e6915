"""Score every restored case of one cell by every protocol: one long table, one number a row."""

import argparse
import json
from pathlib import Path

from thinslice import errors
from thinslice.jobs.case_workers import CaseWorkers
from thinslice.jobs.score import score

p = argparse.ArgumentParser(description=__doc__)
p.add_argument("--protocols", type=json.loads, required=True, help="protocols of config.yaml")
p.add_argument("--degradation", type=json.loads, required=True, help="how thick came about")
p.add_argument("--cell", type=json.loads, required=True, help="columns that name the cell")
p.add_argument("--restored", type=Path, required=True, help="store of restored volumes")
p.add_argument("--thin", type=Path, required=True, help="store of thin volumes")
p.add_argument("--thick", type=Path, required=True, help="store of thick volumes")
p.add_argument("--out", type=Path, required=True, help="csv: case, protocol, metric, value ...")
CaseWorkers.add_flags(p)


def main() -> None:
    flags = vars(p.parse_args())
    run = CaseWorkers.from_flags(*(flags.pop(name) for name in ("threads", "dask", "work")))
    score(**flags, run=run)


if __name__ == "__main__":
    errors.run_script(main)
