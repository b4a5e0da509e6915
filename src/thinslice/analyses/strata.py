"""Do results hold for every scanner? Means by maker, by thicknesses and by kernel.

Cases with thin and acquired thick slices are told apart by what their files, or the list of their
data set, state (``evidence/cases.csv``). Every cell is a row for each stratum its test cases are
of, and one for ``all``. Weights that were fitted elsewhere are rows too, which shows what transfers
from one maker or ratio to another where the config trains on several data sets (``trained_on``).
"""

from collections.abc import Callable, Sequence

import pandas as pd

from thinslice.analyses._patients import (
    KEYS,
    SUMMARY,
    in_order,
    per_patient,
    scores_of,
    summarise,
)
from thinslice.analyses._statistics import RESAMPLES
from thinslice.analyses._strata import in_strata
from thinslice.columns import CELL, METRIC, STRATA
from thinslice.interfaces import Evidence

BY = [*KEYS, "stratum"]
COLUMNS = [*BY, *SUMMARY]


def build(
    *,
    metrics: Sequence[str] = ("rmse_hu",),
    protocols: Sequence[str] = ("v1",),
    by: Sequence[str] = STRATA,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Callable[[Evidence], pd.DataFrame]:
    """Means of these metrics and protocols by stratum."""

    def strata(evidence: Evidence) -> pd.DataFrame:
        scores = scores_of(evidence, metrics=metrics, protocols=protocols)
        single = per_patient(in_strata(scores, evidence, by), BY)
        table = summarise(single, BY, resamples=resamples, seed=seed)
        order = ["dataset", "degradation", "protocol", *METRIC, "stratum", *CELL[2:]]
        return pd.DataFrame(in_order(table, order), columns=COLUMNS)

    return strata
