"""What does a better number cost? Parameters, seconds, memory and training, with the main metric.

TVSRN (Yu et al., MICCAI 2022), Fig. 3b; ACVTT, Table 1. Seconds are the mean over restored volumes,
memory is the highest peak of any of them; both hold for the device that the row names and for no
other. ``train_s`` are the seconds of the training of the weights, on the device of that job.
"""

import math
from collections.abc import Callable, Iterable
from typing import Any

import pandas as pd

from thinslice.analyses._finite import exact_mean, left_out
from thinslice.analyses._patients import (
    KEYS,
    groups,
    in_order,
    join_notes,
    join_records,
    matched,
    per_patient,
    scores_of,
    summarise,
    tidy,
)
from thinslice.analyses._statistics import RESAMPLES
from thinslice.columns import CELL
from thinslice.interfaces import Evidence

LAYOUT = "efficiency"
COST = ["parameters", "wall_s", "peak_memory_gib", "gpu_memory_gib", "train_s"]
MORE = ["volumes", "device"]
COLUMNS = [
    *KEYS,
    "mean",
    "low",
    "high",
    *COST,
    *MORE,
    "n",
    "interval",
    "note",
    "left_out",
    "records",
]


def build(
    *, metric: str = "rmse_hu", protocol: str = "v1", resamples: int = RESAMPLES, seed: int = 0
) -> Callable[[Evidence], pd.DataFrame]:
    """Cost and the mean of one metric, over matched cells."""

    def efficiency(evidence: Evidence) -> pd.DataFrame:
        scores = matched(scores_of(evidence, metrics=[metric], protocols=[protocol]))
        quality = summarise(per_patient(scores, KEYS), KEYS, resamples=resamples, seed=seed)
        runs = tidy(evidence.runs, [*CELL, "case", "device", "record"], COST)
        costs = pd.DataFrame(
            [{**cell, **_cost(group)} for cell, group in groups(runs, CELL)],
            columns=[*CELL, *COST, *MORE, "cost_note", "cost_records"],
        )
        table = quality.merge(costs, on=list(CELL), how="left", validate="m:1")
        if table.empty:
            return pd.DataFrame(columns=COLUMNS)
        return pd.DataFrame(in_order(_joined(table), list(CELL)), columns=COLUMNS)

    return efficiency


def _cost(runs: pd.DataFrame) -> dict[str, Any]:
    """Cost of one cell from its runs, one row per restored volume."""
    devices = sorted(set(runs["device"]))
    sizes = sorted({size for size in runs["parameters"] if math.isfinite(size)})
    untimed = left_out(list(runs["case"]), runs["wall_s"])
    notes = [
        f"seconds from several devices: {', '.join(devices)}" if len(devices) > 1 else "",
        f"parameters differ between cases: {sizes}" if len(sizes) > 1 else "",
        f"seconds not over {untimed}" if untimed else "",
    ]
    return {
        "parameters": max(sizes, default=math.nan),
        "wall_s": exact_mean(runs["wall_s"]),
        **{name: _highest(runs[name]) for name in COST[2:]},
        "volumes": len(runs),
        "device": ", ".join(devices),
        "cost_note": join_notes(notes),
        "cost_records": join_records(runs["record"]),
    }


def _highest(values: Iterable[float]) -> float:
    """The highest finite value; nan without any. Of one training, every run says the same."""
    return max((value for value in values if math.isfinite(value)), default=math.nan)


def _joined(table: pd.DataFrame) -> pd.DataFrame:
    """Notes and records of score and cost in one cell each; a cell without runs says so."""
    unknown = table["volumes"].isna()
    notes = table["cost_note"].where(~unknown, "no run was timed").astype(str)
    ids = table["cost_records"].where(~unknown, "").astype(str)
    return table.assign(
        note=[join_notes(pair) for pair in zip(table["note"], notes)],
        records=[join_records(pair) for pair in zip(table["records"], ids)],
        device=table["device"].where(~unknown, ""),
        parameters=table["parameters"].astype("Int64"),
        volumes=table["volumes"].astype("Int64"),
    )
