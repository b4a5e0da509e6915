"""A paper's tables beside ours: every printed number, and what the same cell gave here.

Ours stands beside a number only where the paper's own cell was run (its data set, its thick slices,
its method, scored by its protocol), or where the settings name a stand-in; a stand-in says what it
was and has no difference, for the two numbers are not of the same thing. Where there is no number
of ours, the row says why. Seconds and memory have no difference either: the machines differ.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from thinslice.analyses import _printed
from thinslice.analyses._patients import (
    CELL,
    LABELS,
    METRIC,
    SUMMARY,
    groups,
    join_notes,
    matched,
    per_patient,
    scores_of,
    summarise,
    tidy,
)
from thinslice.analyses._printed import PLACE, Printed
from thinslice.analyses._statistics import RESAMPLES
from thinslice.interfaces import Evidence

KEYS = [*CELL, *METRIC, *LABELS]
COSTS = {"parameters": "", "wall_s": "s", "peak_memory_gib": "GiB"}  # of a run, and their units
OTHER_MACHINE = ("wall_s", "peak_memory_gib")
PAPER = ["paper_value", "paper_sd", "paper_mark", "paper_n"]
MADE_OF = ["ours_on", "stand_in"]
OURS = ["unit", "better", "mean", "low", "high", "n", "interval", *MADE_OF, *LABELS]
COLUMNS = [
    *("paper", "table", "title", "printed_row", "printed_column", "across"), *PLACE, *PAPER,
    *OURS, "difference", "why", "note", "records",
]  # fmt: skip
STAND_INS = {"dataset": "datasets", "degradation": "degradations", "method": "methods"}
Asked = tuple[Any, ...]  # the PLACE of one cell, in that order
LACKS = {
    "dataset": "the data set is not among ours",
    "degradation": "these thick slices are not among ours",
    "metric": "not measured here",
    "protocol": "not scored by a protocol of the paper",
}


class Ours(NamedTuple):
    """What this run has to say of the paper's cells."""

    rows: Mapping[Asked, Mapping[str, Any]]
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
    stand_ins  of datasets, degradations or methods: the paper's (by our name) -> the one that is
               scored in its place
    """
    printed = _printed.cells(tables or {})
    others = stand_ins or {}
    if unknown := sorted(set(others) - set(STAND_INS.values())):
        raise ValueError(f"stand_ins are of {', '.join(STAND_INS.values())}, found {unknown}")

    def published(evidence: Evidence) -> pd.DataFrame:
        asked = [_asked(cell, others) for cell in printed]
        ours = _measured(evidence, {a for both in asked for a in both}, resamples, seed)
        rows = [
            {"paper": paper, **_paper(cell), **_beside(cell, both, ours)}
            for cell, both in zip(printed, asked)
        ]
        table = pd.DataFrame(rows, columns=COLUMNS)
        return table.astype({"n": "Int64", "paper_n": "Int64"})

    return published


def _asked(cell: Printed, others: Mapping[str, Mapping[str, str]]) -> list[Asked]:
    """The paper's own cell, then its stand-in; none where something of it is not ours."""
    own = tuple(_needed(cell, key) for key in PLACE)
    if None in own:
        return []
    kinds = [others.get(STAND_INS.get(key, ""), {}) for key in PLACE]
    instead = tuple(kind.get(name, name) for kind, name in zip(kinds, own))
    return list(dict.fromkeys([own, instead]))


def _needed(cell: Printed, key: str) -> Any:
    """What the cell says for a key; what a run costs is asked of no protocol."""
    costs = key == "protocol" and cell.says.get("metric") in COSTS
    return "" if costs else cell.says.get(key)


def _measured(evidence: Evidence, wanted: set[Asked], resamples: int, seed: int) -> Ours:
    """What was run, and the mean over patients with its interval of every wanted cell of it."""
    found = matched(pd.concat([scores_of(evidence), _costs(evidence)], ignore_index=True))
    run = set(found[CELL[:3]].itertuples(index=False, name=None))
    keys = found[list(PLACE)].itertuples(index=False, name=None)
    chosen = found.loc[[key in wanted for key in keys]]
    table = summarise(per_patient(chosen, KEYS), KEYS, resamples=resamples, seed=seed)
    rows = {tuple(row[key] for key in PLACE): row for row in table.to_dict("records")}
    return Ours(rows, run, _devices(evidence), evidence.skipped)


def _costs(evidence: Evidence) -> pd.DataFrame:
    """What the runs cost as score rows without a protocol; a volume is its patient's."""
    text = [*CELL, "case", *LABELS, "record"]
    runs = tidy(evidence.runs, text, list(COSTS))[[*text, *COSTS]]
    scores = tidy(evidence.scores, ["dataset", "case", "patient"])
    patients = scores[["dataset", "case", "patient"]].drop_duplicates()
    runs = runs.merge(patients, on=["dataset", "case"], validate="m:1")
    parts = [
        runs.assign(metric=name, value=runs[name], unit=unit, better="lower", protocol="")
        for name, unit in COSTS.items()
    ]
    return pd.concat(parts, ignore_index=True)


def _paper(cell: Printed) -> dict[str, Any]:
    """What the paper prints, and where."""
    return {
        "table": cell.table,
        "title": cell.title,
        "printed_row": cell.line,
        "printed_column": cell.column,
        "across": cell.across,
        **{key: cell.says.get(key) or "" for key in PLACE},
        **dict(zip(PAPER, (cell.value, cell.sd, cell.mark, cell.says.get("patients")))),
    }


def _beside(cell: Printed, asked: Sequence[Asked], ours: Ours) -> dict[str, Any]:
    """Ours beside one printed number, or why there is none."""
    hit = next((one for one in asked if one in ours.rows), None)
    if hit is None:
        unsaid = dict.fromkeys(("unit", "better", "interval", *MADE_OF, *LABELS, "records"), "")
        return {**unsaid, "why": _why(cell, ours), "note": cell.note}
    row = ours.rows[hit]
    instead = [f"{new} for {old}" for old, new in zip(asked[0], hit) if old != new]
    timed = row["metric"] in OTHER_MACHINE
    device = ours.devices.get(tuple(row[key] for key in CELL), "") if timed else ""
    notes = [cell.note, row["note"], device and f"seconds and memory of ours: {device}"]
    return {
        **{key: row[key] for key in (*SUMMARY[:5], "unit", "better", *LABELS)},
        "ours_on": "/".join(row[key] for key in CELL[:3]),
        "stand_in": ", ".join(instead),
        "difference": np.nan if instead or timed else row["mean"] - cell.value,
        "why": "",
        "note": join_notes(notes),
        "records": row["records"],
    }


def _devices(evidence: Evidence) -> dict[tuple[Any, ...], str]:
    """What the seconds and the memory of each cell were measured on."""
    runs = tidy(evidence.runs, [*CELL, "device"], ["wall_s"])
    return {
        tuple(cell.values()): ", ".join(sorted(set(part["device"])))
        for cell, part in groups(runs, CELL)
    }


def _why(cell: Printed, ours: Ours) -> str:
    """Why a printed number has none of ours beside it."""
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
    if tuple(says[key] for key in CELL[:3]) not in ours.run:
        return "not in this run's grid"
    return f"protocol {says.get('protocol')} gave no {says['metric']}"


def _skipped(says: Mapping[str, Any], skipped: Sequence[tuple[str, str]]) -> str:
    """Why a cell was left out of the grid; cells are named as ``cells.skipped`` has it."""
    place = f"{says['dataset']}/{says['degradation']}"
    for where, reason in skipped:
        named, _, methods = where.partition(": ")
        listed = [name for part in methods.split("; ") for name in _own(part, place)]
        if named == place and (methods == "all methods" or says["method"] in listed):
            return reason
    return ""


def _own(part: str, place: str) -> list[str]:
    """Methods of "a, b fitted on X/Y", where they were to be fitted on the place itself or not."""
    methods, _, fitted = part.partition(" fitted on ")
    return methods.split(", ") if fitted in ("", place) else []
