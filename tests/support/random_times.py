"""Random moments of a run, drawn as fractions of the time of an undisturbed run.

A moment is expressed as progress: the number of recorded results, and the seconds since the last.
So a slow or resumed run is disturbed at the same point of the workflow.
"""

import json
import random
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from thinslice.workflow.recovery import stale


@dataclass(frozen=True)
class Moment:
    """When to disturb a run: ``seconds`` after ``recorded`` records are there."""

    fraction: float
    recorded: int
    seconds: float


def timeline(results: Path) -> list[float]:
    """Seconds from the start of a finished run's first job to each of its records, in order."""
    records = list(stale.records(results))
    started = min(_started(path) for path in records)
    times = sorted(path.stat().st_mtime - started for path in records)
    assert 0 <= times[0] < times[-1], "a run takes time"
    return times


def _started(record: Path) -> float:
    """Start of a job by its record, rounded down to a second."""
    return datetime.fromisoformat(json.loads(record.read_text())["started"]).timestamp()


def spread(rng: random.Random, times: list[float], n: int) -> list[Moment]:
    """``n`` moments in order, one in each n-th part of the time to the last record."""
    fractions = [rng.uniform(i, i + 1) / n for i in range(n)]
    return [_at(fraction, times) for fraction in fractions]


def _at(fraction: float, times: list[float]) -> Moment:
    """The moment of a fraction, before the last record: after it the run is over."""
    drawn = fraction * times[-1]
    recorded = min(sum(time <= drawn for time in times), len(times) - 1)
    since = times[recorded - 1] if recorded else 0.0
    return Moment(fraction, recorded, drawn - since)
