"""Download one dataset, verify it, and record every raw file with its hash."""

import argparse
import json
from pathlib import Path

from thinslice import errors
from thinslice.jobs.fetch import fetch

p = argparse.ArgumentParser(description=__doc__)
p.add_argument("--card", type=json.loads, required=True, help="dataset entry of config.yaml")
p.add_argument("--raw", type=Path, required=True, help="folder of downloaded files")
p.add_argument("--mirror", default="", help="folder or address tried before the publisher's")
p.add_argument("--record", type=Path, required=True, help="record of the raw files")

if __name__ == "__main__":
    errors.run_script(lambda: fetch(**vars(p.parse_args())))
