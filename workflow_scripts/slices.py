"""Pack slices of test cases, thin, thick and restored by every method, for the page."""

import argparse
import json
from pathlib import Path

from thinslice import errors
from thinslice.jobs.slices import slices

p = argparse.ArgumentParser(description=__doc__)
p.add_argument("--card", type=json.loads, required=True, help="kind of the picture, JSON")
p.add_argument("--thin", type=Path, nargs="?", help="none where there are no thin scans")
p.add_argument("--thick", type=Path, required=True, help="store of thick volumes")
p.add_argument("--restored", type=Path, nargs="+", required=True, help="one store a method")
p.add_argument("--names", nargs="+", required=True, help="the methods, in the same order")
p.add_argument("--sim", required=True, help="'sim' where the scans are simulated, or empty")
p.add_argument("--out", type=Path, required=True, help="json")

if __name__ == "__main__":
    errors.run_script(lambda: slices(**vars(p.parse_args())))
