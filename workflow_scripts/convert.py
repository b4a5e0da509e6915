"""Convert the raw files of one dataset to thin volumes and, where acquired, thick ones."""

import argparse
import json
from pathlib import Path

from thinslice import errors
from thinslice.jobs.case_workers import CaseWorkers
from thinslice.jobs.convert import convert

p = argparse.ArgumentParser(description=__doc__)
p.add_argument("--card", type=json.loads, required=True, help="dataset entry of config.yaml")
p.add_argument("--raw", type=Path, required=True, help="folder of downloaded files")
p.add_argument("--raw-record", type=Path, required=True, help="record of the raw files")
p.add_argument("--thin", type=Path, required=True, help="store of thin volumes")
p.add_argument("--thick", type=Path, required=True, help="store; empty if none acquired")
CaseWorkers.add_flags(p)


def main() -> None:
    flags = vars(p.parse_args())
    run = CaseWorkers.from_flags(*(flags.pop(name) for name in ("threads", "dask", "work")))
    convert(**flags, run=run)


if __name__ == "__main__":
    errors.run_script(main)
