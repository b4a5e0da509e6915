"""Draw one figure from one table, as PNG and PDF."""

import argparse
import json
from pathlib import Path

from thinslice import errors
from thinslice.jobs.figure import figure

p = argparse.ArgumentParser(description=__doc__)
p.add_argument("--card", type=json.loads, required=True, help="figure entry of config.yaml")
p.add_argument("--tables", type=Path, required=True, help="folder of the tables")
p.add_argument("--out", type=Path, required=True, help="png; the pdf goes beside it")

if __name__ == "__main__":
    errors.run_script(lambda: figure(**vars(p.parse_args())))
