"""Is one method better than another on the same scans? Every ordered pair of methods, per cell.

Paired one-sided Wilcoxon test over patients (TVSRN's test) and Holm's correction over all pairs of
one cell and metric. Both directions of every pair are tested: choosing the direction after looking
at the means would halve each p for nothing.
"""

from collections.abc import Callable, Sequence
from itertools import permutations
from typing import Any

import numpy as np
import pandas as pd

from thinslice.analyses._finite import median
from thinslice.analyses._patients import (
    MEASURE,
    few_for_p,
    few_patients,
    groups,
    in_order,
    interval_name,
    join_notes,
    join_records,
    matched,
    odd_patients,
    paired_gains,
    scores_of,
)
from thinslice.analyses._statistics import RESAMPLES, bootstrap_interval, holm, wilcoxon_greater
from thinslice.columns import METRIC
from thinslice.interfaces import Evidence

LAYOUT = "significance"
PLACE = ["dataset", "degradation", *MEASURE, "sim"]
ENTRANT = ["method", "fitted_on", "fidelity"]
AGAINST = ["against", "against_fitted_on", "against_fidelity"]
ANSWER = ["median_gain", "low", "high", "p", "n", "interval", "note", "left_out", "records"]
COLUMNS = [*PLACE, *ENTRANT, *AGAINST, *ANSWER[:4], "p_holm", "family", *ANSWER[4:]]


def build(
    *,
    metrics: Sequence[str] = ("rmse_hu",),
    protocols: Sequence[str] = ("v1",),
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Callable[[Evidence], pd.DataFrame]:
    """Pairwise tests of these metrics and protocols, over matched cells."""

    def significance(evidence: Evidence) -> pd.DataFrame:
        scores = matched(scores_of(evidence, metrics=metrics, protocols=protocols))
        rows: list[dict[str, Any]] = []
        for place, here in groups(scores, PLACE):
            pairs = [
                {**place, **ours, **dict(zip(AGAINST, theirs.values()))}
                | _compare(our_rows, their_rows, resamples, seed)
                for (ours, our_rows), (theirs, their_rows) in permutations(groups(here, ENTRANT), 2)
            ]
            for row, p in zip(pairs, holm([pair["p"] for pair in pairs])):
                rows.append({**row, "p_holm": float(p), "family": len(pairs)})
        table = pd.DataFrame(rows, columns=COLUMNS)
        return in_order(table, ["dataset", "degradation", "protocol", *METRIC, "method", "against"])

    return significance


def _compare(ours: pd.DataFrame, theirs: pd.DataFrame, resamples: int, seed: int) -> dict[str, Any]:
    """Median gain of ours over theirs with its interval, and the test that it is above zero."""
    gains = paired_gains(ours, theirs, ours["better"].iloc[0])
    tested = gains["value"].notna().to_numpy()
    gain = gains["value"].to_numpy(float)[tested]
    n, infinite = len(gain), int(np.isinf(gain).sum())
    low, high = bootstrap_interval(gain, statistic=np.median, resamples=resamples, seed=seed)
    notes = [few_patients(n) if n < 2 else "", few_for_p(n)]
    notes.append(f"{infinite} of {n} gains infinite: no interval" if infinite else "")
    odd = odd_patients(gains, tested)
    records = join_records(gains["records"])
    name = interval_name(resamples, seed)
    p = wilcoxon_greater(gain)
    return dict(zip(ANSWER, (median(gain), low, high, p, n, name, join_notes(notes), odd, records)))
