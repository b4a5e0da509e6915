"""Join the shards of one cell; they may be deleted afterwards."""

import argparse
import json
from pathlib import Path

from thinslice import errors
from thinslice.jobs.join_shards import join_shards

p = argparse.ArgumentParser(description=__doc__)
p.add_argument("--shards", type=Path, nargs="+", required=True, help="stores of some cases")
p.add_argument("--card", type=json.loads, required=True, help="method entry of config.yaml")
p.add_argument("--thick", type=Path, required=True, help="store of inputs")
p.add_argument("--weights-record", type=Path, nargs="?", help="of weights, if fitted before")
p.add_argument("--out", type=Path, required=True, help="store of restored volumes")

if __name__ == "__main__":
    errors.run_script(lambda: join_shards(**vars(p.parse_args())))
