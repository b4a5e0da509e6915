"""From score rows to patients: what every analysis does before it answers.

Cases are averaged within their patient first, then patients are what intervals and tests run over.
Rows are put into one fixed order before anything is summed, so the order in which score files were
read never moves a number, not even in its last bit.
"""

import math
from collections.abc import Iterable, Sequence
from typing import Any, cast

import numpy as np
import pandas as pd

from thinslice.analyses._finite import differences, exact_mean, in_mean, left_out
from thinslice.analyses._statistics import (
    LEVEL,
    RESAMPLES,
    bootstrap_interval,
    expected_coverage,
    smallest_p,
)
from thinslice.columns import CELL, LABELS, METRIC, metric_name, metric_of
from thinslice.interfaces import Evidence

MEASURE = ["protocol", *METRIC, "unit", "better"]
KEYS = [*CELL, *MEASURE, *LABELS]  # of a row that says what one cell gave
SUMMARY = ["mean", "low", "high", "n", "interval", "note", "left_out", "records"]
# From about this many patients on, a percentile interval covers what it says within 2 %.
ENOUGH_PATIENTS = 20


def tidy(
    table: pd.DataFrame, text: Sequence[str], numbers: Sequence[str] = ("value",)
) -> pd.DataFrame:
    """The table in one fixed order, its text columns free of NaN; refuses missing columns."""
    if table.empty:
        kinds = {**dict.fromkeys(text, str), **dict.fromkeys(numbers, float)}
        return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in kinds.items()})
    missing = [name for name in (*text, *numbers) if name not in table]
    if missing:
        raise LookupError(f"evidence lacks the columns {missing}; it has {list(table.columns)}")
    out = table.assign(**{name: table[name].astype(object).fillna("").astype(str) for name in text})
    return out.sort_values([*text, *numbers], ignore_index=True)


def scores_of(
    evidence: Evidence,
    *,
    metrics: Sequence[str] | None = None,
    protocols: Sequence[str] | None = None,
) -> pd.DataFrame:
    """Score rows of these metrics and protocols (all, where None), in a fixed order.

    metrics   names as ``columns.metric_of`` reads them, e.g. "ssim coronal lung"

    Raises LookupError for a metric or protocol that no score row has: a misspelt setting would
    otherwise look like a question without an answer.
    """
    scores = tidy(evidence.scores, [*CELL, "case", "patient", *LABELS, *MEASURE, "record"])
    if scores.empty:
        return scores
    if metrics is not None:
        wanted = [metric_name(metric_of(metric)) for metric in metrics]
        rows = scores[list(METRIC)].itertuples(index=False, name=None)
        names = [metric_name(dict(zip(METRIC, row))) for row in rows]
        scores = _only("metric", wanted, scores, names)
    if protocols is not None:
        scores = _only("protocol", protocols, scores, list(scores["protocol"]))
    return scores.reset_index(drop=True)


def _only(
    what: str, wanted: Sequence[str], scores: pd.DataFrame, names: Sequence[str]
) -> pd.DataFrame:
    """The rows whose name is wanted; LookupError for a name that no row has."""
    known = sorted(set(names))
    if absent := sorted(set(wanted) - set(known)):
        raise LookupError(f"no score has the {what} {absent}; there are {known}")
    return scores.loc[[name in wanted for name in names]]


def matched(table: pd.DataFrame) -> pd.DataFrame:
    """Select cells whose method was fitted on what it is tested on, or on nothing."""
    here = table["dataset"] + "/" + table["degradation"]
    return table.loc[(table["fitted_on"] == "") | (table["fitted_on"] == here)]


def groups(table: pd.DataFrame, keys: Sequence[str]) -> list[tuple[dict[str, Any], pd.DataFrame]]:
    """The table's parts that agree in ``keys``, sorted, each with its keys by name."""
    parts = table.groupby(list(keys), sort=True)
    return [(dict(zip(keys, cast(tuple, key))), part) for key, part in parts]


def per_patient(scores: pd.DataFrame, keys: Sequence[str]) -> pd.DataFrame:
    """One row per keys x patient: value, cases, records, left_out.

    value       mean over the patient's cases, of which there are ``cases``
    left_out    cases that the mean is not over, each with its value
    """
    by = [*keys, "patient"]
    if np.isfinite(scores["value"].astype(float)).all() and not scores.duplicated(by).any():
        return _case_each(scores, by)
    out = scores.groupby(by, sort=True).agg(
        value=("value", exact_mean),
        cases=("value", lambda v: int(in_mean(v).sum())),
        records=("record", join_records),
    )
    out = out.astype({"value": float, "cases": int}).reset_index()
    named = _odd_cases(scores, by)
    return out.merge(named, on=by, how="left", validate="1:1").fillna({"left_out": ""})


def _case_each(scores: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """``per_patient`` of one finite case each, without groups: significance asks often."""
    rows = scores.sort_values(list(by), ignore_index=True)
    return rows[list(by)].assign(
        value=rows["value"].astype(float),
        cases=1,
        records=[join_records([record]) for record in rows["record"]],
        left_out="",
    )


def _odd_cases(scores: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """Patients some of whose cases are in no mean, with these in ``left_out``."""
    affected = scores.loc[~np.isfinite(scores["value"].astype(float)), list(by)].drop_duplicates()
    rows = [
        {**key, "left_out": left_out([f"scan {case}" for case in part["case"]], part["value"])}
        for key, part in groups(scores.merge(affected, on=list(by)), by)
    ]
    named = pd.DataFrame(rows, columns=[*by, "left_out"])
    return named.astype({name: str for name in named})


def summarise(
    patients: pd.DataFrame, keys: Sequence[str], *, resamples: int = RESAMPLES, seed: int = 0
) -> pd.DataFrame:
    """``per_patient`` rows to one row per keys: mean, low, high, n and what to know of them."""
    rows: list[dict[str, Any]] = []
    for key, group in groups(patients, keys):
        every = group["value"].to_numpy(float)
        values = every[in_mean(every)]
        mean, n = exact_mean(values), len(values)
        low, high = bootstrap_interval(values, resamples=resamples, seed=seed)
        note = same_infinity(mean, n) or few_patients(n)
        odd = odd_patients(group, in_mean(every))
        answer = (mean, low, high, n, interval_name(resamples, seed), note, odd)
        rows.append({**key, **dict(zip(SUMMARY, (*answer, join_records(group["records"]))))})
    return pd.DataFrame(rows, columns=[*keys, *SUMMARY])


def odd_patients(patients: pd.DataFrame, counted: np.ndarray) -> str:
    """Patients that do not count, with their value; of those that do, cases that do not.

    patients    [n] rows of ``per_patient``
    counted     bool [n]
    """
    rows = zip(patients["patient"], patients["value"], patients["left_out"], counted)
    return ", ".join(
        f"{patient} ({cases})" if counts else f"{patient}: {value:g}"
        for patient, value, cases, counts in rows
        if cases or not counts
    )


def paired_gains(ours: pd.DataFrame, other: pd.DataFrame, better: str) -> pd.DataFrame:
    """By how much ``ours`` is better than ``other`` on the same cases, rows as of ``per_patient``.

    value   positive: ours is better, in the metric's unit; equal infinities tie
    """
    if better not in ("lower", "higher"):
        raise ValueError(f"a metric compared must say which way is better, found {better!r}")
    both = ours.merge(other, on=["case", "patient"], suffixes=("", "_other"), validate="1:1")
    sign = 1.0 if better == "higher" else -1.0
    gains = sign * differences(both["value"].to_numpy(float), both["value_other"].to_numpy(float))
    both = both.assign(value=gains, record=both["record"] + " " + both["record_other"])
    return per_patient(both, [])


def join_records(ids: Iterable[str]) -> str:
    """Record ids, each once, sorted, with spaces between; entries may hold several themselves."""
    return " ".join(sorted({record for entry in ids for record in str(entry).split()}))


def interval_name(resamples: int, seed: int) -> str:
    """How the interval was computed, as tables print it."""
    level = f"{100 * LEVEL:g} %"
    return f"{level} percentile bootstrap over patients, {resamples:,} resamples, seed {seed}"


def few_patients(n: int) -> str:
    """Note on the true coverage of an interval over few patients; else ""."""
    if n < 2:
        return f"{few(n)}: no interval"
    if n < ENOUGH_PATIENTS:
        share = f"about {100 * expected_coverage(n):.0f} % of the time"
        return f"{n} patients: the interval holds the true mean {share}"
    return ""


def few_for_p(n: int) -> str:
    """A note where n patients can never give p < 0.05, however large the difference; else ""."""
    least = smallest_p(n)
    return f"{few(n)}: no p below {least:g} is possible" if least > 0.05 else ""


def few(n: int) -> str:
    """A number of patients in words."""
    return f"{n} patient{'' if n == 1 else 's'}"


def same_infinity(mean: float, n: int) -> str:
    """A note where every value is the same infinity; else ""."""
    return f"{mean:g} for each of {few(n)}: no interval" if math.isinf(mean) else ""


def join_notes(notes: Iterable[str]) -> str:
    """Notes that say something, as one cell."""
    return "; ".join(dict.fromkeys(note for note in notes if note))


def in_order(table: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """Sort by name, acquired slices before simulated ones."""
    if table.empty:
        return table

    def acquired_first(column: pd.Series) -> pd.Series:
        if column.name not in ("degradation", "fitted_on", "tested_on"):
            return column
        return column.astype(str).str.replace(r"(^|/)acquired$", r"\1", regex=True)

    return table.sort_values(list(by), key=acquired_first, kind="stable", ignore_index=True)
