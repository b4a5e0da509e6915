"""The scores and runs of one dataset and degradation, each row with the id of its record."""

import argparse
from pathlib import Path

from thinslice import errors
from thinslice.analyses import _evidence
from thinslice.fs.atomic import write_text
from thinslice.provenance.job import recorded_job


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--records", type=Path, nargs="+", required=True, help="records of scores")
    p.add_argument("--scores", type=Path, required=True, help="csv of all scores")
    p.add_argument("--runs", type=Path, required=True, help="csv of seconds, memory, parameters")
    p.add_argument("--record", type=Path, required=True)
    a = p.parse_args()

    with recorded_job(a.record, rule="gather", cards={}, inputs=a.records) as job:
        write_text(a.scores, _evidence.scores(a.records).to_csv(index=False))
        write_text(a.runs, _evidence.runs(a.records).to_csv(index=False))
        job.output(a.scores)
        job.output(a.runs)


if __name__ == "__main__":
    errors.run_script(main)
