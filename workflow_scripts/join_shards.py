"""Put one cell together from its shards; they may be deleted then."""

import argparse
import json
from pathlib import Path

from thinslice import errors, store
from thinslice.jobs import join_shards
from thinslice.provenance.job import recorded_job
from thinslice.provenance.records import first_output, record_path


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--shards", type=Path, nargs="+", required=True, help="stores of some cases")
    p.add_argument("--card", type=json.loads, required=True, help="method entry of config.yaml")
    p.add_argument("--thick", type=Path, required=True, help="store of inputs")
    p.add_argument("--weights-record", type=Path, nargs="?", help="of weights, if fitted before")
    p.add_argument("--out", type=Path, required=True, help="store of restored volumes")
    a = p.parse_args()

    weights = first_output(a.weights_record) if a.weights_record else None
    inputs = [a.thick, *([weights] if weights else [])]
    with recorded_job(
        record_path(a.out), rule="restore", cards={"method": a.card}, inputs=inputs
    ) as job:
        join_shards.join(a.shards, store.open_store(a.thick).cases("test"), a.out, job)


if __name__ == "__main__":
    errors.run_script(main)
