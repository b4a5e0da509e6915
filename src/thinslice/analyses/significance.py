"""Is one method better than another on the same scans? Every ordered pair of methods, per cell.

``wilcoxon``: paired one-sided signed-rank test over patients (TVSRN's test). Both directions of
every pair are tested: choosing the direction after looking at the means would halve each p for
nothing. ``paired_t``: two-sided paired t-test (ACVTT's), one p for both directions of a pair.
Holm's correction runs over all tests of one cell and metric.
"""

from collections.abc import Callable, Sequence
from itertools import permutations
from typing import Any, Literal, get_args

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
from thinslice.analyses._statistics import (
    RESAMPLES,
    bootstrap_interval,
    holm,
    paired_t,
    wilcoxon_greater,
)
from thinslice.columns import METRIC
from thinslice.interfaces import Evidence

LAYOUT = "significance"
PLACE = ["dataset", "degradation", *MEASURE, "sim"]
ENTRANT = ["method", "fitted_on", "fidelity"]
AGAINST = ["against", "against_fitted_on", "against_fidelity"]
ANSWER = ["median_gain", "low", "high", "p", "n", "interval", "note", "left_out", "records"]
COLUMNS = [*PLACE, *ENTRANT, *AGAINST, *ANSWER[:4], "p_holm", "family", "test", *ANSWER[4:]]
Test = Literal["wilcoxon", "paired_t"]
WORDS = {"wilcoxon": "one-sided Wilcoxon", "paired_t": "two-sided paired t-test"}


def build(
    *,
    metrics: Sequence[str] = ("rmse_hu",),
    protocols: Sequence[str] = ("v1",),
    test: Test = "wilcoxon",
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Callable[[Evidence], pd.DataFrame]:
    """Pairwise tests of these metrics and protocols, over matched cells."""
    if test not in get_args(Test):
        raise ValueError(f"test is one of {', '.join(get_args(Test))}, found {test!r}")

    def significance(evidence: Evidence) -> pd.DataFrame:
        scores = matched(scores_of(evidence, metrics=metrics, protocols=protocols))
        rows: list[dict[str, Any]] = []
        for place, here in groups(scores, PLACE):
            pairs = [
                {**place, **ours, **dict(zip(AGAINST, theirs.values()))}
                | _compare(our_rows, their_rows, test, resamples, seed)
                for (ours, our_rows), (theirs, their_rows) in permutations(groups(here, ENTRANT), 2)
            ]
            rows += _corrected(pairs, test)
        table = pd.DataFrame(rows, columns=COLUMNS)
        return in_order(table, ["dataset", "degradation", "protocol", *METRIC, "method", "against"])

    return significance


def _corrected(pairs: list[dict[str, Any]], test: Test) -> list[dict[str, Any]]:
    """The pairs with Holm's p; a two-sided test of a pair counts once, whichever comes first."""
    names = [*ENTRANT, *AGAINST]
    places = [tuple(pair[name] for name in names) for pair in pairs]
    turned = {place: (*place[len(ENTRANT) :], *place[: len(ENTRANT)]) for place in places}
    both = test == "paired_t"
    tests = [place for place in places if not both or place < turned[place]]
    p_of = {place: pair["p"] for place, pair in zip(places, pairs)}
    corrected = dict(zip(tests, holm([p_of[place] for place in tests])))
    return [
        {
            **pair,
            "p_holm": float(corrected[place] if place in corrected else corrected[turned[place]]),
            "family": len(tests),
            "test": WORDS[test],
        }
        for place, pair in zip(places, pairs)
    ]


def _compare(
    ours: pd.DataFrame, theirs: pd.DataFrame, test: Test, resamples: int, seed: int
) -> dict[str, Any]:
    """Median gain of ours over theirs with its interval, and the test that it is above zero."""
    gains = paired_gains(ours, theirs, ours["better"].iloc[0])
    tested = gains["value"].notna().to_numpy()
    gain = gains["value"].to_numpy(float)[tested]
    n, infinite = len(gain), int(np.isinf(gain).sum())
    low, high = bootstrap_interval(gain, statistic=np.median, resamples=resamples, seed=seed)
    rank_test = test == "wilcoxon"
    notes = [few_patients(n) if n < 2 else "", few_for_p(n) if rank_test else ""]
    notes.append(f"{infinite} of {n} gains infinite: no interval" if infinite else "")
    odd = odd_patients(gains, tested)
    records = join_records(gains["records"])
    name = interval_name(resamples, seed)
    p = wilcoxon_greater(gain) if rank_test else paired_t(gain)
    return dict(zip(ANSWER, (median(gain), low, high, p, n, name, join_notes(notes), odd, records)))
