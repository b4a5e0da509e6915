"""What runs cost, as score rows: the columns of size, time and memory in papers' tables.

parameters        numbers learned from data
wall_s, slice_s   seconds to restore a volume, and a slice of it
train_days        days of the training of the weights, on the device of that job
peak_memory_gib   highest memory of the restoring job
gpu_memory_gib    highest memory of tensors on the graphics card; none of a run on a processor
"""

import pandas as pd

from thinslice.analyses._patients import tidy
from thinslice.columns import CELL, LABELS, metric_of
from thinslice.interfaces import Evidence

COSTS = {  # names and units
    "parameters": "",
    "wall_s": "s",
    "slice_s": "s",
    "train_days": "days",
    "peak_memory_gib": "GiB",
    "gpu_memory_gib": "GiB",
}
DAY_S = 86400.0
MEASURED_COSTS = ("parameters", "wall_s", "slices", "train_s", "peak_memory_gib", "gpu_memory_gib")
NO_COST = {
    "gpu_memory_gib": "no graphics card was used",
    "train_days": "nothing was trained beforehand",
}
OTHER_MACHINE = tuple(name for name in COSTS if name != "parameters")


def costs_of(evidence: Evidence) -> pd.DataFrame:
    """What the runs cost as score rows without a protocol; a volume is its patient's."""
    names = [*CELL, "case", *LABELS, "record"]
    runs = pd.DataFrame(
        tidy(evidence.runs, names, MEASURED_COSTS), columns=[*names, *MEASURED_COSTS]
    ).astype(dict.fromkeys(MEASURED_COSTS, float))
    runs = runs.assign(train_days=runs["train_s"] / DAY_S, slice_s=runs["wall_s"] / runs["slices"])
    scores = tidy(evidence.scores, ["dataset", "case", "patient"])
    patients = scores[["dataset", "case", "patient"]].drop_duplicates()
    runs = runs.merge(patients, on=["dataset", "case"], validate="m:1")
    parts = [
        runs.assign(
            **metric_of(name),
            unit=unit,
            value=runs[name],
            better="lower",
            protocol="",
        )
        for name, unit in COSTS.items()
    ]
    costs = pd.concat(parts, ignore_index=True)
    unmeasured = costs["metric"].isin(list(NO_COST)) & costs["value"].isna()
    return costs.loc[~unmeasured]
