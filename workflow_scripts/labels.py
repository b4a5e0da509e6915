"""Write which voxels of a dataset's thin scans are which structure."""

import argparse
import json
from pathlib import Path

from thinslice import errors
from thinslice.jobs.labels import labels

p = argparse.ArgumentParser(description=__doc__)
p.add_argument("--card", type=json.loads, required=True, help="dataset of config.yaml")
p.add_argument("--raw", type=Path, required=True, help="folder of raw files")
p.add_argument("--raw-record", type=Path, required=True, help="their record")
p.add_argument("--thin", type=Path, required=True, help="store of thin volumes")
p.add_argument("--out", type=Path, required=True, help="npz: labels by case")

if __name__ == "__main__":
    errors.run_script(lambda: labels(**vars(p.parse_args())))
