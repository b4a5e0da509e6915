"""Statistics over patients: bootstrap intervals, Wilcoxon's and Student's tests, Holm's correction.

The patient is the unit: scans of one patient are not independent, so every function here takes one
value per patient, and ``n`` is a number of patients. Pure functions of their arguments; the
bootstrap's draws come from an explicit seed and from nothing else, so a number in a table can be
recomputed bit for bit.

The interval is the plain percentile bootstrap (Efron and Tibshirani 1993, chapter 13). BCa is not
used: its correction is estimated from the same few patients, and it is undefined where all agree.
With few patients a percentile interval is too narrow; ``expected_coverage`` says by how much.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from scipy import stats

from thinslice.analyses._finite import ranked

LEVEL = 0.95
RESAMPLES = 10_000


@lru_cache(maxsize=8)
def _draws(n: int, resamples: int, seed: int) -> np.ndarray:
    """[resamples, n] patients drawn with replacement; the same for every table cell of n."""
    return np.random.default_rng(seed).integers(0, n, size=(resamples, n))


def bootstrap_interval(
    values: Sequence[float] | np.ndarray,
    *,
    statistic: Callable[..., np.ndarray] = np.mean,
    level: float = LEVEL,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> tuple[float, float]:
    """Percentile bootstrap of a statistic over patients: (low, high).

    values      [n], one per patient, in a fixed order
    statistic   called as ``statistic(resampled, axis=1)``; np.mean or np.median

    (nan, nan) for fewer than two patients or for values that are not finite: there is no interval.
    """
    x = np.asarray(values, dtype=float)
    if x.ndim != 1:
        raise ValueError(f"one value per patient is expected, found an array of shape {x.shape}")
    if len(x) < 2 or not np.isfinite(x).all():
        return float("nan"), float("nan")
    resampled = statistic(x[_draws(len(x), resamples, seed)], axis=1)
    low, high = np.quantile(resampled, ((1 - level) / 2, (1 + level) / 2))
    return float(low), float(high)


def expected_coverage(n: int, level: float = LEVEL) -> float:
    """How often a percentile interval of the mean of n normal values holds the true mean.

    The bootstrap's spread is the sample's sd over sqrt(n), short by sqrt((n - 1) / n), and it uses
    normal quantiles where Student's are due: P(|t| < z sqrt((n - 1) / n)) at n - 1 degrees.
    """
    if n < 2:
        return float("nan")
    z = stats.norm.ppf((1 + level) / 2) * np.sqrt((n - 1) / n)
    return float(1 - 2 * stats.t.sf(z, n - 1))


def wilcoxon_greater(differences: Sequence[float] | np.ndarray) -> float:
    """One-sided signed-rank p that the paired differences, one per patient, lie above zero.

    1.0 where every difference is zero; nan without patients or with nan among them. An infinite
    difference ranks above every finite one.
    """
    d = ranked(np.asarray(differences, dtype=float))
    if len(d) == 0 or np.isnan(d).any():
        return float("nan")
    if not d.any():
        return 1.0
    result: Any = stats.wilcoxon(d, alternative="greater")
    return float(result.pvalue)


def paired_t(differences: Sequence[float] | np.ndarray) -> float:
    """Two-sided p of the paired t-test: differences, one per patient, are zero on average.

    1.0 where every difference is zero; nan for fewer than two patients, or with one not finite.
    """
    d = np.asarray(differences, dtype=float)
    if len(d) < 2 or not np.isfinite(d).all():
        return float("nan")
    if np.ptp(d) == 0:
        return 0.0 if d[0] else 1.0
    result: Any = stats.ttest_1samp(d, 0.0)
    return float(result.pvalue)


def smallest_p(n: int) -> float:
    """The smallest one-sided signed-rank p that n patients can give: all of one sign, 2**-n."""
    return 0.5**n


def holm(p: Sequence[float] | np.ndarray) -> np.ndarray:
    """Holm's step-down adjusted p values, in the order given; nan marks what was not tested.

    The k-th smallest of m is multiplied by m - k + 1; a larger p never ends with a smaller one.
    """
    p = np.asarray(p, dtype=float)
    out = np.full(p.shape, np.nan)
    tested = np.flatnonzero(~np.isnan(p))
    order = tested[np.argsort(p[tested], kind="stable")]
    stepped = p[order] * np.arange(len(order), 0, -1)
    out[order] = np.minimum(np.maximum.accumulate(stepped), 1.0)
    return out
