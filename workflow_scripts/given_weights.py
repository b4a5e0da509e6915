"""Take the weights of others that a method's line names."""

import argparse
import json
from pathlib import Path

from thinslice import errors
from thinslice.jobs.given_weights import given_weights

p = argparse.ArgumentParser(description=__doc__)
p.add_argument("--card", type=json.loads, required=True, help="method entry of config.yaml")
p.add_argument("--out", type=Path, required=True, help="weights file")

if __name__ == "__main__":
    errors.run_script(lambda: given_weights(**vars(p.parse_args())))
