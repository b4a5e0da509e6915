"""How alike are thick slices and the thin slices around them? Match, Near and Far.

TVSRN (Yu et al., MICCAI 2022), section 2.1 and Fig. 1: thin slices at the place of a thick slice
(Match), and one and two thin increments away (Near, Far). Here distances are in mm and are in the
table, for a thin scan may have any increment and phase.
"""

from collections.abc import Callable

import pandas as pd

from thinslice.analyses._finite import exact_mean
from thinslice.analyses._patients import SUMMARY, in_order, per_patient, summarise, tidy
from thinslice.analyses._statistics import RESAMPLES
from thinslice.columns import RELATIONS, SIMULATED
from thinslice.interfaces import SPLITS, Evidence

LAYOUT = "slice_pairs"
KEYS = ["dataset", "degradation", "split", "relation", "protocol", "metric", "unit", "sim"]
COLUMNS = [*KEYS, "distance_mm", *SUMMARY]


def build(*, resamples: int = RESAMPLES, seed: int = 0) -> Callable[[Evidence], pd.DataFrame]:
    """Mean similarity over patients per data set, degradation, split, relation and metric."""

    def slice_pairs(evidence: Evidence) -> pd.DataFrame:
        pairs = tidy(evidence.pairs, [*KEYS, "case", "patient", "record"], ["value", "distance_mm"])
        pairs = pairs.loc[pairs["protocol"] != SIMULATED]
        for column, known in (("relation", RELATIONS), ("split", SPLITS)):
            unknown = sorted(set(pairs[column]) - set(known))
            if unknown:
                raise ValueError(f"a {column} is one of {', '.join(known)}, found {unknown}")
        table = summarise(per_patient(pairs, KEYS), KEYS, resamples=resamples, seed=seed)
        if table.empty:
            return pd.DataFrame(columns=COLUMNS)
        distances = pairs.groupby(KEYS, sort=True).agg(distance_mm=("distance_mm", exact_mean))
        table = table.merge(distances.reset_index(), on=KEYS, validate="1:1")
        table = table.assign(
            place=[RELATIONS.index(name) for name in table["relation"]],
            part=[SPLITS.index(name) for name in table["split"]],
        )
        order = ["dataset", "degradation", "part", "protocol", "metric", "place"]
        return pd.DataFrame(in_order(table, order), columns=COLUMNS)

    return slice_pairs
