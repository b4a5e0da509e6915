"""Every patient by name: one row per cell, metric and patient, with the cell's mean.

What a bar with dots shows: ``value`` is the patient's own (mean over the patient's cases);
``mean``, ``low``, ``high`` and ``n`` are those of the patients together, as in the benchmark.
"""

from collections.abc import Callable, Sequence
from typing import Literal

import pandas as pd

from thinslice.analyses._patients import (
    KEYS,
    SUMMARY,
    in_order,
    matched,
    per_patient,
    scores_of,
    summarise,
)
from thinslice.analyses._statistics import RESAMPLES
from thinslice.columns import CELL, METRIC
from thinslice.interfaces import Evidence

LAYOUT = "patients"
COLUMNS = [*KEYS, "patient", "value", "cases", *SUMMARY]


def build(
    *,
    metrics: Sequence[str] | None = ("rmse_hu",),
    protocols: Sequence[str] | None = ("v1",),
    cells: Literal["matched", "all"] = "matched",
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Callable[[Evidence], pd.DataFrame]:
    """Patients' values of these metrics and protocols (all, where None)."""
    if cells not in ("matched", "all"):
        raise ValueError(f'cells must be "matched" or "all", found {cells!r}')

    def patients(evidence: Evidence) -> pd.DataFrame:
        scores = scores_of(evidence, metrics=metrics, protocols=protocols)
        single = per_patient(matched(scores) if cells == "matched" else scores, KEYS)
        together = summarise(single, KEYS, resamples=resamples, seed=seed)
        values = single.drop(columns=["left_out", "records"])
        table = values.merge(together, on=KEYS, validate="m:1")
        order = ["dataset", "degradation", "protocol", *METRIC, *CELL[2:], "patient"]
        return pd.DataFrame(in_order(table, order), columns=COLUMNS)

    return patients
