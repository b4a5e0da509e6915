"""Results of orphans: jobs that outlived their run. Standard library only.

Such a job finishes and leaves its results, but Snakemake does not know from what they were made: it
would keep them whatever has changed since, or delete them and do the work again. So they are set
aside before anything is planned. Snakemake plans the job anew; the job reclaims them if it would
make the very same, and ends (``provenance/duplicates``).
"""

from datetime import datetime
from pathlib import Path

from thinslice.provenance import duplicates
from thinslice.provenance.records import BrokenLinkError, read_record
from thinslice.workflow.recovery import stale
from thinslice.workflow.recovery.snakemake_state import SnakemakeState

TOLERANCE_S = 0.01  # of the time that Snakemake keeps of an output, as a float


def set_aside(results: Path, state: SnakemakeState) -> list[Path]:
    """Set aside every result that Snakemake did not see made; their records."""
    times = state.record_times()
    aside = []
    for record in sorted(stale.records(results)):
        try:
            if not _is_known(record, times.get(str(record), 0.0)):
                duplicates.set_aside(record)
                aside.append(record)
        except (BrokenLinkError, FileNotFoundError):
            continue  # not whole, so there is nothing to keep
    return aside


def _is_known(record: Path, time: float) -> bool:
    """Whether it is the record that Snakemake saw made at ``time``, and not a later one.

    By its own time or, where files were copied or touched since, by when its job began.
    """
    if record.stat().st_mtime <= time + TOLERANCE_S:
        return True
    return datetime.fromisoformat(read_record(record)["started"]).timestamp() <= time
