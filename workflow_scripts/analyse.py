"""Answer one question from the evidence; write the table as CSV, Markdown and LaTeX."""

import argparse
import json
from pathlib import Path

from thinslice import errors
from thinslice.jobs.analyse import analyse

p = argparse.ArgumentParser(description=__doc__)
p.add_argument("--card", type=json.loads, required=True, help="analysis entry of config.yaml")
p.add_argument("--evidence", type=Path, required=True, help="folder of the evidence")
p.add_argument("--out", type=Path, required=True, help="csv; .md and .tex go beside it")

if __name__ == "__main__":
    errors.run_script(lambda: analyse(**vars(p.parse_args())))
