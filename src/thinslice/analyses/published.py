"""A paper's tables next to ours: every printed number, and what the same cell gave here.

Ours stands beside a number only where the paper's own cell was run (its data set, its thick slices,
its method, scored by its protocol), or where the settings name a stand-in; a stand-in says what it
was and has no difference, for the two numbers are not of the same thing. Ours has its standard
deviation over patients, and the mark that the paper's own test gives it (``_marks``). Where there
is no number of ours, the row says why. What depends on the machine (seconds, memory,
training) has no difference either.
"""

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from thinslice.analyses import _printed
from thinslice.analyses._costs import COSTS, NO_COST, OTHER_MACHINE, costs_of
from thinslice.analyses._finite import in_mean
from thinslice.analyses._marks import LEVEL, Tested, tested
from thinslice.analyses._patients import (
    KEYS,
    SUMMARY,
    groups,
    join_notes,
    matched,
    per_patient,
    scores_of,
    summarise,
    tidy,
)
from thinslice.analyses._printed import Printed
from thinslice.analyses._statistics import RESAMPLES
from thinslice.columns import CELL, LABELS, METRIC, by_key, metric_of
from thinslice.interfaces import Evidence

LAYOUT = "published"
PLACE = ("dataset", "degradation", "method", "protocol", *METRIC)
PAPER = ["paper_value", "paper_sd", "paper_mark", "paper_n"]
MADE_OF = ["ours_on", "stand_in"]
TEST = ["sd", *Tested._fields]
OURS = ["unit", "better", *SUMMARY[:5], *TEST, *MADE_OF, *LABELS]
COLUMNS = [
    *("paper", "table", "title", "printed_row", "printed_column", "across"), *PLACE, *PAPER,
    *OURS, "difference", "why", "note", "left_out", "records",
]  # fmt: skip
WORDS = ("unit", "better", "interval", "left_out", "records")
STAND_INS = {key: f"{key}s" for key in ("dataset", "degradation", "method", "metric")}
Key = tuple[Any, ...]  # the PLACE of one cell, in that order
LACKS = {
    "dataset": "the data set is not among ours",
    "degradation": "these thick slices are not among ours",
    "metric": "not measured here",
    "protocol": "not scored by a protocol of the paper",
}


class Ours(NamedTuple):
    """What this run has to say of the paper's cells."""

    rows: Mapping[Key, Mapping[str, Any]]
    scores: Mapping[Key, pd.DataFrame]
    spreads: Mapping[Key, float]  # standard deviations over patients
    run: Collection[tuple[Any, ...]]  # (dataset, degradation, method)
    devices: Mapping[tuple[Any, ...], str]
    skipped: Sequence[tuple[str, str]]


def build(
    *,
    paper: str = "",
    tables: Mapping[str, Any] | None = None,
    stand_ins: Mapping[str, Mapping[str, str]] | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Callable[[Evidence], pd.DataFrame]:
    """The tables of one paper beside ours.

    paper      short reference, e.g. "Yu et al. 2022"
    tables     name -> {title, about, columns, rows}; see ``_printed``
    stand_ins  of datasets, degradations, methods or metrics (without view): the paper's (by our
               name) -> the one that is scored in its place
    """
    printed = _printed.cells(tables or {})
    others = stand_ins or {}
    if unknown := sorted(set(others) - set(STAND_INS.values())):
        raise ValueError(f"stand_ins are of {', '.join(STAND_INS.values())}, found {unknown}")

    def published(evidence: Evidence) -> pd.DataFrame:
        keys = [_keys(cell, others) for cell in printed]
        wanted = {key for both in keys for key in both}
        others_too = {
            _instead(key, cell.says["against"])
            for cell, both in zip(printed, keys)
            for key in both
            if cell.says.get("against")
        }
        ours = _measured(evidence, wanted | others_too, resamples, seed)
        rows = [
            {"paper": paper, **_paper(cell), **_beside(cell, both, ours)}
            for cell, both in zip(printed, keys)
        ]
        table = pd.DataFrame(rows, columns=COLUMNS)
        return table.astype({"n": "Int64", "paper_n": "Int64"})

    return published


def _keys(cell: Printed, others: Mapping[str, Mapping[str, str]]) -> list[Key]:
    """The paper's own cell, then its stand-in; none where something of it is not ours."""
    theirs = tuple(_needed(cell, key) for key in PLACE)
    if None in theirs:
        return []
    kinds = [others.get(STAND_INS.get(key, ""), {}) for key in PLACE]
    instead = tuple(kind.get(name, name) for kind, name in zip(kinds, theirs))
    return list(dict.fromkeys([theirs, instead]))


def _needed(cell: Printed, key: str) -> Any:
    """What the cell says for a column of PLACE, None for nothing; a cost has no protocol."""
    metric = cell.says.get("metric")
    if key in METRIC:
        return metric_of(metric)[key] if metric else None
    return "" if key == "protocol" and metric in COSTS else cell.says.get(key)


def _measured(evidence: Evidence, wanted: set[Key], resamples: int, seed: int) -> Ours:
    """What was run, and the mean over patients with its interval of every wanted cell of it."""
    scores = matched(pd.concat([scores_of(evidence), costs_of(evidence)], ignore_index=True))
    run = set(scores[list(CELL[:3])].itertuples(index=False, name=None))
    keys = scores[list(PLACE)].itertuples(index=False, name=None)
    chosen = scores.loc[[key in wanted for key in keys]]
    patients = per_patient(chosen, KEYS)
    table = summarise(patients, KEYS, resamples=resamples, seed=seed)
    rows = by_key(table.to_dict("records"), *PLACE)
    parts = {tuple(key.values()): part for key, part in groups(chosen, PLACE)}
    spreads = {tuple(key.values()): _spread(part) for key, part in groups(patients, PLACE)}
    return Ours(rows, parts, spreads, run, _devices(evidence), evidence.skipped)


def _spread(patients: pd.DataFrame) -> float:
    """Standard deviation over the patients that count; nan for fewer than two."""
    values = patients["value"].to_numpy(float)
    values = values[in_mean(values)]
    spreads = len(values) > 1 and np.isfinite(values).all()
    return float(np.std(values, ddof=1)) if spreads else float("nan")


def _instead(key: Key, method: str) -> Key:
    """The same cell of another method."""
    at = PLACE.index("method")
    return (*key[:at], method, *key[at + 1 :])


def _tested(cell: Printed, hit: Key, ours: Ours) -> Tested:
    """The paper's test of one number of ours; empty where there is none, or nothing to test."""
    test, against = cell.says.get("test"), cell.says.get("against")
    row = ours.rows[hit]
    if not test or against == row["method"] or row["metric"] in COSTS or not row["better"]:
        return Tested()
    other = _instead(hit, str(against))
    if other not in ours.scores:
        return Tested()
    level = float(cell.says.get("level") or LEVEL)
    return tested(test, str(against), ours.scores[hit], ours.scores[other], row["better"], level)


def _paper(cell: Printed) -> dict[str, Any]:
    """What the paper prints, and where."""
    return {
        "table": cell.table,
        "title": cell.title,
        "printed_row": cell.line,
        "printed_column": cell.column,
        "across": cell.across,
        **{key: _needed(cell, key) or "" for key in PLACE},
        "protocol": cell.says.get("protocol") or "",
        **dict(zip(PAPER, (cell.value, cell.sd, cell.mark, cell.says.get("patients")))),
    }


def _beside(cell: Printed, keys: Sequence[Key], ours: Ours) -> dict[str, Any]:
    """Our number for one printed number, or why there is none."""
    hit = next((key for key in keys if key in ours.rows), None)
    if hit is None:
        empty = dict.fromkeys((*WORDS, *MADE_OF, *LABELS, "mark", "test"), "")
        return {**empty, "why": _why(cell, keys, ours), "note": cell.note}
    row = ours.rows[hit]
    instead = [f"{new} for {old}" for old, new in zip(keys[0], hit) if old != new]
    timed, comparable = row["metric"] in OTHER_MACHINE, math.isfinite(row["mean"])
    device = ours.devices.get(tuple(row[key] for key in CELL), "") if timed else ""
    notes = [cell.note, row["note"], device and f"seconds and memory of ours: {device}"]
    return {
        **{key: row[key] for key in (*SUMMARY[:5], *WORDS, *LABELS)},
        "sd": ours.spreads[hit],
        **_tested(cell, hit, ours)._asdict(),
        "ours_on": "/".join(row[key] for key in CELL[:3]),
        "stand_in": ", ".join(instead),
        "difference": np.nan if instead or timed or not comparable else row["mean"] - cell.value,
        "why": "" if row["n"] else "no patient has a value",
        "note": join_notes(notes),
    }


def _devices(evidence: Evidence) -> dict[tuple[Any, ...], str]:
    """What the seconds and the memory of each cell were measured on."""
    runs = tidy(evidence.runs, [*CELL, "device"], ["wall_s"])
    return {
        tuple(cell.values()): ", ".join(sorted(set(part["device"])))
        for cell, part in groups(runs, CELL)
    }


def _why(cell: Printed, keys: Sequence[Key], ours: Ours) -> str:
    """Reason why a printed number has none of ours, nor a stand-in."""
    says = cell.says
    if not says.get("method"):
        return "not among the methods yet"
    if says.get("why"):
        return str(says["why"])
    for key, words in LACKS.items():
        if _needed(cell, key) is None:
            return words
    if reason := _skipped(says, ours.skipped):
        return f"not run: {reason}"
    if not any(key[:3] in ours.run for key in keys):
        return "not in this run's grid"
    asked, stand_in = (key[PLACE.index("metric")] for key in (keys[0], keys[-1]))
    lacking = str(says["metric"])
    if stand_in != asked:
        both = keys[0][:3] in ours.run
        lacking = f"{lacking}, nor {stand_in}" if both else stand_in
        lacking += f", which stands in for {asked}"
    if asked in COSTS:
        return NO_COST.get(stand_in, f"no run says {lacking}")
    return f"protocol {says.get('protocol')} gave no {lacking}"


def _skipped(says: Mapping[str, Any], skipped: Sequence[tuple[str, str]]) -> str:
    """Why a cell was left out of the grid; cells are named as ``cells.skipped`` has it."""
    place = f"{says['dataset']}/{says['degradation']}"
    for where, reason in skipped:
        named, _, methods = where.partition(": ")
        listed = [name for part in methods.split("; ") for name in _fitted_here(part, place)]
        if named == place and (methods == "all methods" or says["method"] in listed):
            return reason
    return ""


def _fitted_here(part: str, place: str) -> list[str]:
    """Methods of "a, b fitted on X/Y", where they were to be fitted on the place itself or not."""
    methods, _, fitted = part.partition(" fitted on ")
    return methods.split(", ") if fitted in ("", place) else []
