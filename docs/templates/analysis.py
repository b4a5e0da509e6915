"""The question this analysis answers, and how; the paper's section if it is one's.

Copy to ``src/thinslice/analyses/NAME.py``; the config line is ``NAME: {}`` under ``analyses``.
Without ``LAYOUT`` the table is printed column by column; ``LAYOUT = "benchmark"`` prints it as the
benchmark is (``report/tables/``).
"""

from collections.abc import Callable

import pandas as pd

from thinslice.analyses._patients import KEYS, per_patient, scores_of
from thinslice.columns import CELL
from thinslice.interfaces import Evidence


def build(*, metric: str = "rmse_hu", protocol: str = "v1") -> Callable[[Evidence], pd.DataFrame]:
    """The worst patient of every cell. Settings of the config line are these parameters."""

    def worst(evidence: Evidence) -> pd.DataFrame:
        scores = scores_of(evidence, metrics=[metric], protocols=[protocol])
        patients = per_patient(scores, KEYS)  # cases are averaged within their patient first
        rows = patients.sort_values("value").groupby(list(CELL)).tail(1).assign(n=1)
        return pd.DataFrame(rows, columns=[*KEYS, "patient", "value", "n", "records"])

    return worst
