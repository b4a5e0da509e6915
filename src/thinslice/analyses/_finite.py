"""Numbers that are not finite, by one rule for every analysis.

A volume restored exactly has a PSNR of inf; a metric with nothing to measure is nan.

* The row of one patient holds its number as it is.
* A mean, its interval and its ``n`` are over the finite values. Those left out are named, each with
  its number, in the column ``left_out``, and no method is ranked against another whose mean is over
  other patients.
* Where all values are one and the same infinity, the mean is that infinity and has no interval.
* Of paired differences, two equal infinities are a tie, 0. Any other infinite difference is larger
  than every finite one: it counts in ranks (medians, the Wilcoxon test) and is left out of means.
"""

import math
from collections.abc import Iterable, Sequence

import numpy as np


def in_mean(values: Iterable[float]) -> np.ndarray:
    """Which of the values [n] a mean is over, bool [n]; see the module docstring."""
    x = np.asarray(list(values), dtype=float)
    finite = np.isfinite(x)
    numbers = x[~np.isnan(x)]
    if finite.any() or len(set(numbers)) != 1:
        return finite
    return ~np.isnan(x)


def exact_mean(values: Iterable[float]) -> float:
    """The mean of those in ``in_mean``, correctly rounded in any order; nan of none."""
    x = np.asarray(list(values), dtype=float)
    chosen = x[in_mean(x)].tolist()
    return math.fsum(chosen) / len(chosen) if chosen else math.nan


def left_out(names: Sequence[str], values: Iterable[float]) -> str:
    """Values that a mean is not over, by name: "p1: inf, p3: nan"; "" where there are none."""
    x = np.asarray(list(values), dtype=float)
    odd = np.flatnonzero(~in_mean(x)).tolist()
    return ", ".join(f"{names[k]}: {x[k]:g}" for k in odd)


def differences(ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    """``ours - theirs`` [n]; equal infinities tie."""
    with np.errstate(invalid="ignore"):
        out = np.subtract(ours, theirs)
    return np.where(np.isinf(ours) & (ours == theirs), 0.0, out)


def ranked(values: np.ndarray) -> np.ndarray:
    """The same order and signs in finite numbers: infinities become the largest magnitude."""
    x = np.asarray(values, dtype=float)
    most = np.abs(x[np.isfinite(x)]).max(initial=0.0)
    return np.where(np.isinf(x), np.sign(x) * (2 * most + 1), x)


def median(values: np.ndarray) -> float:
    """The median; nan without values, and between opposite infinities."""
    with np.errstate(invalid="ignore"):
        return float(np.median(values)) if len(values) else math.nan
