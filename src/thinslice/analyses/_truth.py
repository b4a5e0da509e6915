"""Scores against known solids, by what they were measured on: restored, thin and thick slices."""

import pandas as pd

from thinslice.analyses._patients import KEYS, SUMMARY, in_order, per_patient, scores_of, summarise
from thinslice.columns import CELL, TRUTH
from thinslice.interfaces import Evidence

MEASURED = {"": "restored", "thin_": "thin", "thick_": "thick"}
BY = [*KEYS, "measured"]
COLUMNS = [*BY, *SUMMARY]


def table_of(evidence: Evidence, metric: str, *, resamples: int, seed: int) -> pd.DataFrame:
    """Means of one measure over the patients (of phantoms: layouts) of each cell."""
    names = {f"{lead}{metric}": of for lead, of in MEASURED.items()}
    scores = scores_of(evidence)
    if not scores.empty:
        scores = scores.loc[(scores["protocol"] == TRUTH) & scores["metric"].isin(list(names))]
    measured = pd.Series([names[name] for name in scores["metric"]], scores.index, dtype=str)
    scores = scores.assign(measured=measured, metric=metric)
    table = summarise(per_patient(scores, BY), BY, resamples=resamples, seed=seed)
    order = ["dataset", "degradation", "metric", "range", "measured", *CELL[2:]]
    return pd.DataFrame(in_order(table, order), columns=COLUMNS)
