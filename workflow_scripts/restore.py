"""Restore every test case of one dataset and degradation with one method."""

import argparse

from thinslice import errors
from thinslice.jobs.restore import RestoreRequest, restore_cases

p = argparse.ArgumentParser(description=__doc__)
RestoreRequest.add_flags(p)

if __name__ == "__main__":
    errors.run_script(lambda: restore_cases(RestoreRequest.from_flags(**vars(p.parse_args()))))
