"""Gather the scores and runs of one dataset and degradation, with their records' ids."""

import argparse
from pathlib import Path

from thinslice import errors
from thinslice.jobs.gather import gather

p = argparse.ArgumentParser(description=__doc__)
p.add_argument("--records", type=Path, nargs="+", required=True, help="records of scores")
p.add_argument("--scores", type=Path, required=True, help="csv of all scores")
p.add_argument("--runs", type=Path, required=True, help="csv of seconds, memory, parameters")
p.add_argument("--record", type=Path, required=True, help="record of both")

if __name__ == "__main__":
    errors.run_script(lambda: gather(**vars(p.parse_args())))
