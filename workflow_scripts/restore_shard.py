"""Restore one shard: every n-th test case of one dataset and degradation with one method."""

import argparse

from thinslice import errors
from thinslice.jobs.restore import RestoreRequest, restore_cases

p = argparse.ArgumentParser(description=__doc__)
p.add_argument("--shard", type=int, required=True, help="first of the test cases, from 0")
p.add_argument("--of", type=int, required=True, help="number of shards: every OF-th case")
RestoreRequest.add_flags(p)

if __name__ == "__main__":
    errors.run_script(lambda: restore_cases(RestoreRequest.from_flags(**vars(p.parse_args()))))
