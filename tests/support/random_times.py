"""Random moments over a whole run: drawn as fractions of the time of one left in peace.

A drawn time is told to a disturbed run as a place in the graph: so many results recorded, and so
many seconds since. A slow or resumed run is then disturbed where it was meant to be.
"""

import json
import random
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from thinslice.workflow.recovery import stale


@dataclass(frozen=True)
class Moment:
    """When to strike: ``seconds`` after ``recorded`` records are there."""

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
    """To the whole second, rounded down."""
    return datetime.fromisoformat(json.loads(record.read_text())["started"]).timestamp()


def spread(rng: random.Random, times: list[float], n: int) -> list[Moment]:
    """``n`` moments in order, one in each n-th part of the time to the last record."""
    fractions = [rng.uniform(i, i + 1) / n for i in range(n)]
    return [_at(fraction, times) for fraction in fractions]


def _at(fraction: float, times: list[float]) -> Moment:
    """Never the last record: what comes after is no longer the run."""
    drawn = fraction * times[-1]
    recorded = min(sum(time <= drawn for time in times), len(times) - 1)
    since = times[recorded - 1] if recorded else 0.0
    return Moment(fraction, recorded, drawn - since)
