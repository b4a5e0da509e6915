"""File times in the future: set to now, so that a clock set back stops no run. Standard library.

Snakemake fails a job whose result is older than one of its inputs. What is out of date is decided
by content, so times may be changed.
"""

import os
import time
from pathlib import Path

from thinslice.provenance.records import read_record
from thinslice.workflow.recovery import stale
from thinslice.workflow.recovery.snakemake_state import TIMESTAMP

TOLERANCE_S = 1.0


def clamp_to_now(results: Path) -> list[str]:
    """Set the times of every result whose record is dated in the future; one line if any."""
    now_ns = time.time_ns()
    late = now_ns + int(TOLERANCE_S * 1e9)
    future = [record for record in stale.records(results) if record.stat().st_mtime_ns > late]
    for record in future:
        outputs = [Path(output["path"]) for output in read_record(record)["outputs"].values()]
        timestamps = [path / TIMESTAMP for path in outputs]
        for path in (record, *outputs, *timestamps):
            if path.exists():
                os.utime(path, ns=(now_ns, now_ns))
    if not future:
        return []
    return [
        f"{len(future)} results are dated in the future (was the clock set back?): their times "
        "are set to now"
    ]
