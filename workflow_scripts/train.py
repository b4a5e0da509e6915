"""Fit one method on the training cases of one dataset and degradation."""

import argparse
import json
from pathlib import Path

from thinslice import errors
from thinslice.jobs.train import train

p = argparse.ArgumentParser(description=__doc__)
p.add_argument("--card", type=json.loads, required=True, help="method entry of config.yaml")
p.add_argument("--thick", type=Path, required=True, help="store of inputs")
p.add_argument("--thin", type=Path, required=True, help="store of truths")
p.add_argument("--work", type=Path, required=True, help="checkpoints, kept between tries")
p.add_argument("--out", type=Path, required=True, help="weights file")
p.add_argument("--curve", type=Path, required=True, help="csv: step, loss, val")
p.add_argument("--threads", type=int, default=1)
p.add_argument("--device", default="auto")
p.add_argument("--gpus", type=int, default=1, help="that train together, a process for each")
p.add_argument("--data-mb", type=int, help="of scans to keep in memory")
p.add_argument("--max-memory-mb", type=int, help="a step keeps what fits below it")
p.add_argument("--reserved-gpus", type=int, default=0, help="for this job, by the workflow")

if __name__ == "__main__":
    errors.run_script(lambda: train(**vars(p.parse_args())))
