"""Simulate thick volumes from thin ones, case by case and slab by slab."""

import argparse
import json
from pathlib import Path

from thinslice import errors
from thinslice.jobs.case_workers import CaseWorkers
from thinslice.jobs.degrade import degrade

p = argparse.ArgumentParser(description=__doc__)
p.add_argument("--card", type=json.loads, required=True, help="degradation of config.yaml")
p.add_argument("--thin", type=Path, required=True, help="store of thin volumes")
p.add_argument("--out", type=Path, required=True, help="store of thick volumes")
CaseWorkers.add_flags(p)


def main() -> None:
    flags = vars(p.parse_args())
    run = CaseWorkers.from_flags(*(flags.pop(name) for name in ("threads", "dask", "work")))
    degrade(**flags, run=run)


if __name__ == "__main__":
    errors.run_script(main)
