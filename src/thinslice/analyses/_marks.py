"""Marks of significance: our numbers put to the test that a paper puts its own to.

    paired_t   marked where significantly worse than ``against``: two-sided paired t-test
    wilcoxon   marked where significantly better than ``against``: one-sided signed-rank test

Both at the paper's level (0.05 unless it has another) and without a correction for many tests, as
papers do; ``significance`` corrects.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd

from thinslice.analyses._patients import paired_gains
from thinslice.analyses._statistics import paired_t, wilcoxon_greater

TESTS = ("paired_t", "wilcoxon")
LEVEL = 0.05
MARK = "*"


class Tested(NamedTuple):
    """What a test says of one number of ours."""

    p: float = float("nan")
    mark: str = ""
    test: str = ""  # in words: what a mark would mean


def tested(
    test: str,
    against: str,
    ours: pd.DataFrame,
    theirs: pd.DataFrame,
    better: str,
    level: float,
) -> Tested:
    """One cell's score rows against those of ``against``, on the patients that both have.

    level    p below which a mark is given

    No mark and p nan where there is nothing to test: a patient too few, or a value not finite.
    """
    if test == "wilcoxon":
        p = wilcoxon_greater(_gains(ours, theirs, better))
        words = f"better than {against} (one-sided Wilcoxon signed-rank test, p < {level:g})"
        return Tested(p, MARK if p < level else "", words)
    losses = _gains(theirs, ours, better)
    p = paired_t(losses)
    words = f"worse than {against} (paired t-test, p < {level:g})"
    return Tested(p, MARK if p < level and losses.mean() > 0 else "", words)


def _gains(ours: pd.DataFrame, theirs: pd.DataFrame, better: str) -> np.ndarray:
    """By how much ours is better, patient by patient."""
    return paired_gains(ours, theirs, better)["value"].to_numpy(float)
