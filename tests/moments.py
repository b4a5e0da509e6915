"""Random moments over a whole run: drawn as fractions of the time of one left in peace.

A drawn time is told to a disturbed run as a place in the graph: so many results recorded, and so
many seconds since. A slow or resumed run is then disturbed where it was meant to be.
"""

import random
from dataclasses import dataclass
from pathlib import Path

from thinslice import torn


@dataclass(frozen=True)
class Moment:
    """When to strike: ``seconds`` after ``recorded`` records are there."""

    fraction: float
    recorded: int
    seconds: float


def timeline(results: Path) -> list[float]:
    """Seconds from the start of a finished run to each of its records, in order."""
    started = (results / ".run.lock").stat().st_mtime
    return sorted(max(path.stat().st_mtime - started, 0.0) for path in torn.records(results))


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
