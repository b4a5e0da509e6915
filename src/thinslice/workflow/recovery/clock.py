"""Results from the future: their times are brought to now, so that a clock set back stops no run.

Snakemake fails a job whose result is older than an input, which is every job while results of
tomorrow lie about. What is out of date is told by content, so times may move. Standard library
only.
"""

import os
import time
from pathlib import Path

from thinslice.provenance.records import read_record
from thinslice.workflow.recovery import stale

TOLERANCE_S = 1.0
SNAKEMAKE = ".snakemake_timestamp"  # what it takes for the time of a folder


def catch_up(results: Path) -> list[str]:
    """Give every result with a record from the future the time of now; a line if there were any."""
    now_ns = time.time_ns()
    late = now_ns + int(TOLERANCE_S * 1e9)
    found = [record for record in stale.records(results) if record.stat().st_mtime_ns > late]
    for record in found:
        made = [Path(output["path"]) for output in read_record(record)["outputs"].values()]
        marks = [path / SNAKEMAKE for path in made]
        for path in (record, *made, *marks):
            if path.exists():
                os.utime(path, ns=(now_ns, now_ns))
    if not found:
        return []
    return [f"{len(found)} results are from the future (was the clock set back?): now from now"]
