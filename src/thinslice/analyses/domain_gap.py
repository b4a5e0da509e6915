"""What does training on simulated thick slices cost? Fitted-on x tested-on, per method and metric.

TVSRN (Yu et al., MICCAI 2022), section 3.2 and Fig. 3c: weights fitted on simulated thick slices
lose when they are given the scanner's own. Here every pair of fitted-on and tested-on that was run
is a row, and the drop is paired on the same test cases, against the weights that were fitted on the
acquired thick slices of the tested data set. The paper reports p alone; here p is one-sided
(Wilcoxon over patients: is the drop above zero?) and Holm's correction runs over all weights tested
on the same cases by the same protocol and metric. Methods without training are rows of their own,
as the level to beat.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from thinslice.analyses._finite import exact_mean, in_mean
from thinslice.analyses._patients import (
    MEASURE,
    few_for_p,
    groups,
    in_order,
    join_notes,
    join_records,
    odd_patients,
    paired_gains,
    per_patient,
    scores_of,
    summarise,
)
from thinslice.analyses._statistics import (
    RESAMPLES,
    bootstrap_interval,
    holm,
    wilcoxon_greater,
)
from thinslice.columns import LABELS, METRIC
from thinslice.interfaces import Evidence

LAYOUT = "domain_gap"
KEYS = ["method", "fitted_on", "tested_on", "reference", *MEASURE, *LABELS]
DROP = ["drop", "drop_low", "drop_high", "p", "n_paired"]
ANSWER = ["mean", "low", "high", *DROP, "p_holm", "family"]
COLUMNS = [*KEYS, *ANSWER, "n", "interval", "note", "left_out"]


def build(
    *,
    metrics: Sequence[str] = ("rmse_hu",),
    protocols: Sequence[str] = ("v1",),
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Callable[[Evidence], pd.DataFrame]:
    """The domain-gap table of these metrics and protocols."""

    def domain_gap(evidence: Evidence) -> pd.DataFrame:
        scores = scores_of(evidence, metrics=metrics, protocols=protocols)
        scores = scores.assign(
            tested_on=scores["dataset"] + "/" + scores["degradation"],
            reference=scores["dataset"] + "/acquired",
        )
        table = summarise(per_patient(scores, KEYS), KEYS, resamples=resamples, seed=seed)
        if table.empty:
            return pd.DataFrame(columns=[*COLUMNS, "records"])
        by_cell = {tuple(key.values()): part for key, part in groups(scores, KEYS)}
        drops = [_drop(row, by_cell, resamples, seed) for row in table.to_dict("records")]
        table = pd.concat([table.drop(columns=["note", "records"]), pd.DataFrame(drops)], axis=1)
        table = in_order(_corrected(table), ["protocol", *METRIC, *KEYS[:3]])
        return pd.DataFrame(table, columns=[*COLUMNS, "records"])

    return domain_gap


def _drop(row: dict[str, Any], by_cell: dict, resamples: int, seed: int) -> dict[str, Any]:
    """What the row's weights lose against acquired-trained ones; nan where that is no question."""
    untested = {**dict.fromkeys(DROP[:-1], np.nan), "n_paired": 0}
    records = {"records": row["records"]}
    if row["fitted_on"] == "":
        return {**untested, **records, "note": row["note"]}
    best = by_cell.get(tuple({**row, "fitted_on": row["reference"]}[key] for key in KEYS))
    if best is None:
        why = f"no weights fitted on {row['reference']}"
        return {**untested, **records, "note": join_notes([row["note"], why])}
    gains = paired_gains(best, by_cell[tuple(row[key] for key in KEYS)], row["better"])
    drop = gains["value"].to_numpy(float)
    averaged, tested = drop[in_mean(drop)], drop[~np.isnan(drop)]
    low, high = bootstrap_interval(averaged, resamples=resamples, seed=seed)
    itself = row["fitted_on"] == row["reference"]
    p = np.nan if itself else wilcoxon_greater(tested)
    n = len(averaged)
    notes = [row["note"], "" if itself else few_for_p(len(tested))]
    odd = odd_patients(gains, in_mean(drop))
    if odd:
        notes.append(f"drop over {n} of {len(drop)} patients, not {odd}")
    elif n != row["n"]:
        notes.append(f"drop over {n} of {row['n']} patients")
    numbers = dict(zip(DROP, (exact_mean(drop), low, high, p, n)))
    both = join_records([row["records"], *gains["records"]])
    return {**numbers, "note": join_notes(notes), "records": both}


def _corrected(table: pd.DataFrame) -> pd.DataFrame:
    """p_holm and the number of tests it corrects for, per protocol, metric and tested-on."""
    families = table.groupby(["protocol", *METRIC, "tested_on"])["p"]
    corrected = families.transform(lambda p: holm(p.to_numpy()))
    return table.assign(p_holm=corrected, family=families.transform("count").astype(int))
