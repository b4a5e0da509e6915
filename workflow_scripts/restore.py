"""Restore every test case of one dataset and degradation with one method."""

import argparse

from thinslice import provenance, refusal, restoring_cells, store


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    restoring_cells.add_flags(p)
    a = p.parse_args()

    asked = restoring_cells.Asked.by(a)
    with provenance.job(
        provenance.record_of(a.out),
        rule="restore",
        cards={"method": a.card},
        inputs=asked.inputs,
        seed=asked.seed,
    ) as job:
        restoring_cells.restore(asked, store.open_store(a.thick).cases("test"), a.out, job)


if __name__ == "__main__":
    refusal.run(main)
