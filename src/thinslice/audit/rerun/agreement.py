"""How far two tables of scores agree, and what is asked of them."""

import csv
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from thinslice.provenance import environment
from thinslice.provenance.reruns import DIFFERS, EQUAL, WITHIN

KEYS = ("case", "protocol", "metric", "view", "range", "phase_mm")
# The largest difference of a score by its unit, on another processor or with other packages.
UNTRAINED = {"HU": 0.05, "dB": 0.01, "1": 0.0005, "mm": 0.01}
TRAINED = {"HU": 0.8, "dB": 0.2, "1": 0.005, "mm": 0.05}  # weights fitted again move further
OTHER = 0.01  # of units that are not listed


def differences(then: Path, now: Path) -> dict[str, float]:
    """The largest difference by unit; inf where a score is missing, added or no number any more."""
    before, after = _scores(then), _scores(now)
    largest: dict[str, float] = {}
    for key in before.keys() | after.keys():
        unit, a = before.get(key, ("1", math.inf))
        b = after.get(key, ("", -math.inf))[1]
        apart = 0.0 if a == b or (a != a and b != b) else abs(a - b)
        largest[unit] = max(largest.get(unit, 0.0), math.inf if apart != apart else apart)
    return largest


def word(then: Path, now: Path, record: Mapping[str, Any], *, trained: bool) -> str:
    """The agreement of scores: bit-equal, which the same processor and packages must give, within
    the tolerance of others, or neither."""
    if then.read_bytes() == now.read_bytes():
        return EQUAL
    here = (environment.machine()["cpu"], environment.versions())
    if here == (record["machine"]["cpu"], record["packages"]):
        return DIFFERS
    tolerance = TRAINED if trained else UNTRAINED
    apart = differences(then, now).items()
    return WITHIN if all(d <= tolerance.get(unit, OTHER) for unit, d in apart) else DIFFERS


def _scores(path: Path) -> dict[tuple[str, ...], tuple[str, float]]:
    """Unit and value of every score."""
    with path.open(encoding="utf-8", newline="") as file:
        return {
            tuple(row.get(key) or "" for key in KEYS): (row["unit"], float(row["value"] or "nan"))
            for row in csv.DictReader(file)
        }
