"""Findings of the tables, in sentences; every number in them is in a table.

A sentence says what was found with its interval, and says when there is too little to tell.
"""

from collections.abc import Iterable
from typing import Any

from thinslice.columns import METRIC
from thinslice.report.tables import wording
from thinslice.report.tables.benchmark import main_metric
from thinslice.report.tables.sheet import (
    best_first,
    best_row,
    entrant_name,
    rows_of,
    split_by,
    with_entrants,
)
from thinslice.report.tables.typeset import AnalysisTable


def sentences(tables: Iterable[AnalysisTable]) -> list[str]:
    """Findings of every benchmark and domain-gap table among these."""
    out: list[str] = []
    for table in tables:
        if table.layout == "benchmark":
            out += _best(with_entrants(rows_of(table.rows)))
        if table.layout == "domain_gap":
            out += _gaps(rows_of(table.rows))
    return out


def _best(rows: list[dict[str, Any]]) -> list[str]:
    """Best method of each data set and kind of thick slices, and the best untrained one."""
    parts = split_by(main_metric(rows), "dataset", "degradation").values()
    return [_winner(part) for part in parts]


def _winner(rows: list[dict[str, Any]]) -> str:
    first = best_first(rows)[0]
    where = wording.place(first["dataset"], first["degradation"], first["sim"])
    name = wording.metric_name(first)
    sentence = f"On {where}, {entrant_name(first)} has the best {name}: {_mean(first)}"
    untrained = [row for row in rows if row["fitted_on"] == ""]
    if first["fitted_on"] and untrained:
        rival = best_first(untrained)[0]
        sentence += f"; the best method without training, {rival['method']}, has {_mean(rival)}"
    basis = f" (protocol {first['protocol']}, {wording.patients(row['n'] for row in rows)})"
    left_out = {row["left_out"] for row in rows}
    if left_out != {""}:
        without = "; ".join(sorted(left_out - {""}))
        basis = f"{basis[:-1]}, without {without})"
    if len(left_out) > 1:
        return f"{sentence}{basis}; means over different patients rank nothing."
    if first["n"] == 1:
        return f"{sentence}{basis}; one patient ranks nothing."
    apart = best_row(rows) is not None
    return sentence + basis + ("." if apart else "; its interval meets another method's.")


def _gaps(rows: list[dict[str, Any]]) -> list[str]:
    """What the weights fitted on simulated thick slices lose on acquired ones, per method."""
    compared = [
        row
        for row in rows
        if row["tested_on"] == row["reference"]
        and row["fitted_on"] not in ("", row["reference"])
        and row["drop"] == row["drop"]
    ]
    out = []
    cells = split_by(compared, "method", "tested_on", "protocol", *METRIC)
    for (method, *_), fits in cells.items():
        drops = ", ".join(
            f"{wording.signed(row['drop'], row['unit'])} {row['unit']} ({row['fitted_on']})"
            for row in fits
        )
        best = min(fits, key=lambda row: row["p_holm"])
        out.append(
            f"Given acquired thick slices, {method} fitted on simulated ones changes by {drops} "
            f"against acquired-trained weights ({wording.metric_name(best)}, protocol "
            f"{best['protocol']}; + is worse; {_tested(best)})."
        )
    return out


def _tested(row: dict[str, Any]) -> str:
    """What the tests say, or that there are too few patients for any to say something."""
    n = wording.patients([row["n_paired"]])
    if row["n_paired"] < wording.FEW:
        return f"{n}: too few for a test"
    return f"smallest Holm p {wording.p_value(row['p_holm'])}, {n}"


def _mean(row: dict[str, Any]) -> str:
    unit = "" if row["unit"] == "1" else f" {row['unit']}"
    return wording.interval(row["mean"], row["low"], row["high"], row["unit"]) + unit
