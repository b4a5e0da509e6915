"""Restore one test case in so many of one dataset and degradation with one method."""

import argparse

from thinslice import errors, plugins, store
from thinslice.jobs import restore
from thinslice.provenance.job import recorded_job
from thinslice.provenance.records import record_path


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--shard", type=int, required=True, help="which, from 0")
    p.add_argument("--of", type=int, required=True, help="to how many the cases are dealt out")
    restore.add_flags(p)
    a = p.parse_args()

    asked = restore.RestoreRequest.by(a)
    with recorded_job(
        record_path(a.out),
        rule="restore_shard",
        cards={"method": a.card},
        inputs=asked.inputs,
        plugins=[plugins.module_name("methods", a.card)],
        seed=asked.seed,
    ) as job:
        cases = store.open_store(a.thick).cases("test")[a.shard :: a.of]
        restore.restore(asked, cases, a.out, job)
        job.fact("shard", [a.shard, a.of])


if __name__ == "__main__":
    errors.run_script(main)
