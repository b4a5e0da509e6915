"""Put everything on one page; print the main table and the papers' own."""

import argparse
from pathlib import Path

from thinslice import errors
from thinslice.jobs.page import page

p = argparse.ArgumentParser(description=__doc__)
p.add_argument("--tables", type=Path, nargs="+", required=True, help="records of the tables")
p.add_argument("--figures", type=Path, nargs="*", default=[], help="records of the figures")
p.add_argument("--slices", type=Path, nargs="*", default=[], help="records of slices to view")
p.add_argument("--evidence", type=Path, required=True, help="folder of the evidence")
p.add_argument("--out", type=Path, required=True, help="html")

if __name__ == "__main__":
    errors.run_script(lambda: page(**vars(p.parse_args())))
