"""Restore one shard: every n-th test case of one dataset and degradation with one method."""

import argparse
import json
from pathlib import Path

from thinslice import errors
from thinslice.jobs.restore import RestoreRequest, restore_cases

p = argparse.ArgumentParser(description=__doc__)
p.add_argument("--shard", type=int, required=True, help="first of the test cases, from 0")
p.add_argument("--of", type=int, required=True, help="number of shards: every OF-th case")
p.add_argument("--card", type=json.loads, required=True, help="method entry of config.yaml")
p.add_argument("--thick", type=Path, required=True, help="store of inputs")
p.add_argument("--weights-record", type=Path, nargs="?", help="of weights, if fitted before")
p.add_argument("--work", type=Path, required=True, help="checkpoints, kept between tries")
p.add_argument("--out", type=Path, required=True, help="store of restored volumes")
p.add_argument("--threads", type=int, default=1)
p.add_argument("--max-memory-mb", type=int)
p.add_argument("--device", help="of a method that uses torch; left out for any other")
p.add_argument("--reserved-gpus", type=int, default=0, help="for this job, by the workflow")

if __name__ == "__main__":
    errors.run_script(lambda: restore_cases(RestoreRequest.from_flags(**vars(p.parse_args()))))
