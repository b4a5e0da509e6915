"""Every patient by name: the values behind the benchmark's means, one row per cell and patient.

What the dots of a bar chart show. ``n`` is 1 in every row: one patient.
"""

from collections.abc import Callable, Sequence
from typing import Literal

import pandas as pd

from thinslice.analyses._patients import (
    CELL,
    LABELS,
    METRIC,
    in_order,
    matched,
    per_patient,
    scores_of,
)
from thinslice.seams import Evidence

KEYS = [*CELL, *METRIC, *LABELS]


def build(
    *,
    metrics: Sequence[str] | None = None,
    protocols: Sequence[str] | None = None,
    cells: Literal["matched", "all"] = "matched",
) -> Callable[[Evidence], pd.DataFrame]:
    """Patients' values of these metrics and protocols (all, where None)."""
    if cells not in ("matched", "all"):
        raise ValueError(f'cells must be "matched" or "all", found {cells!r}')

    def patients(evidence: Evidence) -> pd.DataFrame:
        scores = scores_of(evidence, metrics=metrics, protocols=protocols)
        table = per_patient(matched(scores) if cells == "matched" else scores, KEYS)
        table = in_order(table, ["dataset", "degradation", "protocol", "metric", *CELL[2:]])
        return table.drop(columns="missing").assign(n=1)

    return patients
