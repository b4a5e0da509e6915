"""Gather the scores and runs of one dataset and degradation."""

from collections.abc import Sequence
from pathlib import Path

from thinslice.analyses import _evidence
from thinslice.fs.atomic import write_text
from thinslice.jobs.left_out import FACT, rows_of
from thinslice.provenance.job import recorded_job
from thinslice.provenance.records import by_path


def gather(records: Sequence[Path], scores: Path, runs: Path, record: Path) -> None:
    """Write the rows behind score records, each with the id of its record.

    records    of score jobs
    scores     csv of all scores
    runs       csv of seconds, memory and parameters
    """
    with recorded_job(record, rule="gather", cards={}, inputs=by_path(records)) as job:
        write_text(scores, _evidence.scores(records).to_csv(index=False))
        write_text(runs, _evidence.runs(records).to_csv(index=False))
        job.output("scores", scores)
        job.output("runs", runs)
        job.fact(FACT, list(rows_of(records)))
