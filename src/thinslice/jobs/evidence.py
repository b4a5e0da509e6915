"""Join all gathered scores, runs and slice pairs into the evidence of the analyses."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from thinslice.analyses import _evidence
from thinslice.fs.atomic import write_text
from thinslice.jobs.left_out import FACT
from thinslice.provenance.job import recorded_job
from thinslice.provenance.records import by_path, read_record


def evidence(
    records: Sequence[Path],
    pairs: Sequence[Path],
    scans: Sequence[Path],
    skipped: Sequence[Sequence[str]],
    out: Path,
) -> None:
    """Write scores, runs, pairs, skipped cells, notes on scans and cases as one CSV each.

    records    of gather jobs
    pairs      records of pairs jobs
    scans      records of the thin scans
    skipped    cells that are not run, and why; cases that jobs left out are added from the records
    out        folder of the evidence
    """
    cases = _evidence.cases(scans)
    left_out = _evidence.set_aside(cases)
    left_out += [row for record in records for row in read_record(record)["facts"].get(FACT, [])]
    tables = {
        "scores": _evidence.joined(records, "scores"),
        "runs": _evidence.joined(records, "runs"),
        "pairs": _evidence.pairs(pairs),
        "skipped": pd.DataFrame([*skipped, *left_out], columns=["cells", "reason"]),
        "scans": _evidence.scan_notes(scans),
        "cases": cases,
    }
    record, inputs = _evidence.record_of(out), by_path([*records, *pairs, *scans])
    with recorded_job(record, rule="evidence", cards={}, inputs=inputs) as job:
        for name, table in tables.items():
            write_text(out / f"{name}.csv", table.to_csv(index=False))
            job.output(name, out / f"{name}.csv")
