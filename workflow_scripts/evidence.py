"""Join all gathered scores, runs and slice pairs: what every analysis answers from."""

import argparse
import json
from pathlib import Path

from thinslice import errors
from thinslice.jobs.evidence import evidence

p = argparse.ArgumentParser(description=__doc__)
p.add_argument("--records", type=Path, nargs="*", default=[], help="records of gather jobs")
p.add_argument("--pairs", type=Path, nargs="*", default=[], help="records of pairs jobs")
p.add_argument("--scans", type=Path, nargs="*", default=[], help="records of the thin scans")
p.add_argument("--skipped", type=json.loads, required=True, help="cells not run, and why")
p.add_argument("--out", type=Path, required=True, help="folder of the evidence")

if __name__ == "__main__":
    errors.run_script(lambda: evidence(**vars(p.parse_args())))
