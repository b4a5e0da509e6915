"""Restore every test case of one dataset and degradation with one method."""

import argparse

from thinslice import errors, plugins, store
from thinslice.jobs import restore
from thinslice.provenance.job import recorded_job
from thinslice.provenance.records import record_path


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    restore.add_flags(p)
    a = p.parse_args()

    asked = restore.RestoreRequest.by(a)
    with recorded_job(
        record_path(a.out),
        rule="restore",
        cards={"method": a.card},
        inputs=asked.inputs,
        plugins=[plugins.module_name("methods", a.card)],
        seed=asked.seed,
    ) as job:
        restore.restore(asked, store.open_store(a.thick).cases("test"), a.out, job)


if __name__ == "__main__":
    errors.run_script(main)
