"""Free disk space in a results folder; print what was removed and what was kept."""

import argparse
from pathlib import Path

from thinslice import errors
from thinslice.jobs.clean import WHAT, clean

p = argparse.ArgumentParser(description=__doc__)
p.add_argument("what", choices=WHAT)
p.add_argument("--results", type=Path, default=Path("results"))

if __name__ == "__main__":
    errors.run_script(lambda: clean(**vars(p.parse_args())))
