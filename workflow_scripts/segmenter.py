"""Fit a network that finds structures, on the thin training cases of one dataset."""

import argparse
import json
from pathlib import Path

from thinslice import errors
from thinslice.jobs.segmenter import segmenter

p = argparse.ArgumentParser(description=__doc__)
p.add_argument("--card", type=json.loads, required=True, help="segmentation of config.yaml")
p.add_argument("--labels", type=Path, required=True, help="labels of the scans")
p.add_argument("--thin", type=Path, required=True, help="store of thin volumes")
p.add_argument("--work", type=Path, required=True, help="checkpoints, kept between tries")
p.add_argument("--out", type=Path, required=True, help="weights file")
p.add_argument("--curve", type=Path, required=True, help="csv: step, loss, val")
p.add_argument("--threads", type=int, default=1)
p.add_argument("--device", default="auto")
p.add_argument("--reserved-gpus", type=int, default=0, help="for this job, by the workflow")

if __name__ == "__main__":
    errors.run_script(lambda: segmenter(**vars(p.parse_args())))
