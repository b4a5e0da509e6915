"""Segment the restored cases of one cell: Dice and NSD, one number a row."""

import argparse
import json
from pathlib import Path

from thinslice import errors
from thinslice.jobs.segment import segment

p = argparse.ArgumentParser(description=__doc__)
p.add_argument("--card", type=json.loads, required=True, help="segmentation of config.yaml")
p.add_argument("--cell", type=json.loads, required=True, help="columns that name the cell")
p.add_argument("--restored", type=Path, required=True, help="store of restored volumes")
p.add_argument("--thin", type=Path, required=True, help="store of thin volumes")
p.add_argument("--labels", type=Path, required=True, help="labels of the scans")
p.add_argument("--segmenter", type=Path, required=True, help="its weights")
p.add_argument("--out", type=Path, required=True, help="csv: case, metric, value ...")
p.add_argument("--threads", type=int, default=1)
p.add_argument("--device", default="auto")
p.add_argument("--reserved-gpus", type=int, default=0, help="for this job, by the workflow")

if __name__ == "__main__":
    errors.run_script(lambda: segment(**vars(p.parse_args())))
