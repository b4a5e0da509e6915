"""Which method restores best? One row per cell, protocol and metric: mean over patients, interval.

Cases are averaged within their patient first. A paper's own number stands beside ours where the
settings give one, with its source; it is another data set or scoring unless the source says so.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd

from thinslice.analyses._patients import (
    KEYS,
    in_order,
    matched,
    per_patient,
    scores_of,
    summarise,
)
from thinslice.analyses._statistics import RESAMPLES
from thinslice.columns import CELL, METRIC, metric_of
from thinslice.interfaces import Evidence

LAYOUT = "benchmark"
PUBLISHED = ["published", "published_sd", "published_source"]
# Keys of a published entry that say where it holds; every other key but sd and source is a metric.
WHERE = ("dataset", "degradation", "protocol")


def build(
    *,
    cells: Literal["matched", "all"] = "matched",
    protocols: Sequence[str] | None = None,
    published: Mapping[str, Any] | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Callable[[Evidence], pd.DataFrame]:
    """The benchmark table.

    cells       "matched": methods fitted on what they are tested on, or on nothing; or "all"
    protocols   whose numbers are listed; None: of all
    published   method -> entry or list of entries, e.g. {"psnr_db": 38.609, "sd": 1.721,
                "source": "..."}; dataset, degradation and protocol narrow where it holds
    """
    if cells not in ("matched", "all"):
        raise ValueError(f'cells must be "matched" or "all", found {cells!r}')
    printed = _entries(published or {})

    def benchmark(evidence: Evidence) -> pd.DataFrame:
        scores = scores_of(evidence)
        scores = matched(scores) if cells == "matched" else scores
        if protocols is not None:
            scores = scores.loc[scores["protocol"].isin(list(protocols))]
        table = summarise(per_patient(scores, KEYS), KEYS, resamples=resamples, seed=seed)
        table = in_order(table, ["dataset", "degradation", "protocol", *METRIC, *CELL[2:]])
        beside = [_beside(row, printed) for row in table.to_dict("records")]
        return table.assign(
            **{name: [numbers[i] for numbers in beside] for i, name in enumerate(PUBLISHED)}
        )

    return benchmark


def _entries(published: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Flatten the setting ``published``: one dict per printed number, with where it holds."""
    out = []
    for method, given in published.items():
        for entry in [given] if isinstance(given, Mapping) else given:
            if not entry.get("source"):
                raise ValueError(f"published number of {method!r} has no source: {dict(entry)}")
            reserved = {"sd", "source", *WHERE}
            where = {key: entry[key] for key in WHERE if key in entry}
            for metric in (key for key in entry if key not in reserved):
                sd = entry.get("sd", np.nan)
                sd = sd.get(metric, np.nan) if isinstance(sd, Mapping) else sd
                number = {"value": float(entry[metric]), "sd": float(sd)}
                source = {"source": str(entry["source"])}
                out.append({"method": method, **metric_of(metric), **where, **number, **source})
    return out


def _beside(row: Mapping[str, Any], printed: list[dict[str, Any]]) -> tuple[float, float, str]:
    """The published value, sd and source of a table row; (nan, nan, "") without one."""
    for entry in printed:
        if all(entry[key] == row[key] for key in ("method", *METRIC, *WHERE) if key in entry):
            return entry["value"], entry["sd"], entry["source"]
    return np.nan, np.nan, ""
