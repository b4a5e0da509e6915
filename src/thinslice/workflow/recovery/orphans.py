"""What the jobs of a killed driver finished after it: neither taken on trust nor done again.

A job that outlives its driver ends well and leaves its results, but nobody tells Snakemake by what
they were made: it would keep them whatever has changed since, or delete them and do the work again.
So before anything is planned they are set aside. Snakemake plans the job anew; the job finds them,
reclaims them if it would make the very same (``provenance.duplicates``), and ends. Standard
library only.
"""

import contextlib
import json
from base64 import urlsafe_b64decode
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from thinslice.provenance import duplicates
from thinslice.provenance.records import SUFFIX, BrokenLinkError, read_record
from thinslice.workflow.recovery import stale

CLOCK_S = 0.01  # of the time Snakemake keeps for an output, as a float


def set_aside(results: Path, memory: Path) -> list[Path]:
    """Put aside every result that was made without Snakemake's knowing; their records.

    memory    Snakemake's metadata, a file per output
    """
    known = dict(_made_at(memory))
    aside = []
    for record in sorted(stale.records(results)):
        try:
            if not _is_known(record, known.get(str(record), 0.0)):
                duplicates.set_aside(record)
                aside.append(record)
        except (BrokenLinkError, FileNotFoundError):
            continue  # not whole, so there is nothing to keep
    return aside


def _is_known(record: Path, made_at: float) -> bool:
    """Whether it is the record that Snakemake saw made, and not a later one.

    By its time or, where files were copied or touched since, by when its job began.
    """
    if record.stat().st_mtime <= made_at + CLOCK_S:
        return True
    return datetime.fromisoformat(read_record(record)["started"]).timestamp() <= made_at


def _made_at(memory: Path) -> Iterator[tuple[str, float]]:
    """Path of every record that Snakemake remembers, and the time it had when it was made.

    What a power cut tore of that memory is passed over, as Snakemake does itself.
    """
    for file in memory.rglob("*"):
        with contextlib.suppress(ValueError, OSError):
            name = "".join(part.removeprefix("@") for part in file.relative_to(memory).parts)
            path = urlsafe_b64decode(name).decode()
            if file.is_file() and path.endswith(SUFFIX):
                yield path, json.loads(file.read_text()).get("endtime") or 0.0
