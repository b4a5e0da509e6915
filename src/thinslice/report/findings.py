"""Findings of the tables, in sentences; each names the rows of the CSV its numbers are from.

A sentence says what was found with its interval, and says when there is too little to tell.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

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

PLACE = ("dataset", "degradation")


class Finding(NamedTuple):
    """A sentence, and the data rows of a table (the first being 1) that its numbers are from."""

    sentence: str
    table: str
    rows: tuple[int, ...]


def findings(tables: Iterable[AnalysisTable]) -> list[Finding]:
    """Findings of every benchmark and domain-gap table among these."""
    out: list[Finding] = []
    for table in tables:
        if table.layout == "benchmark":
            parts = split_by(main_metric(with_entrants(rows_of(table.rows))), *PLACE).values()
            out += [Finding(_winner(part), table.name, _numbers(_rivals(part))) for part in parts]
        if table.layout == "domain_gap":
            parts = _gaps(rows_of(table.rows))
            out += [Finding(_gap(part), table.name, _numbers(part)) for part in parts]
    return out


def sentences(tables: Iterable[AnalysisTable]) -> list[str]:
    """The sentences of ``findings``."""
    return [each.sentence for each in findings(tables)]


def _rivals(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The row of the best method, and that of the best untrained one where it is another."""
    first = best_first(rows)[0]
    untrained = [row for row in rows if row["fitted_on"] == ""]
    return [first, *best_first(untrained)[:1]] if first["fitted_on"] else [first]


def _numbers(rows: list[dict[str, Any]]) -> tuple[int, ...]:
    return tuple(row["row"] for row in rows)


def _winner(rows: list[dict[str, Any]]) -> str:
    """Best method of one data set and kind of thick slices, and the best untrained one."""
    first, *rivals = _rivals(rows)
    where = wording.place(first["dataset"], first["degradation"], first["sim"])
    name = wording.metric_name(first)
    sentence = f"On {where}, {entrant_name(first)} has the best {name}: {_mean(first)}"
    for rival in rivals:
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


def _gaps(rows: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Rows of weights fitted on simulated thick slices and tested on acquired ones, in parts of one
    method and metric."""
    compared = [
        row
        for row in rows
        if row["tested_on"] == row["reference"]
        and row["fitted_on"] not in ("", row["reference"])
        and row["drop"] == row["drop"]
    ]
    cells = split_by(compared, "method", "tested_on", "protocol", *METRIC)
    return list(cells.values())


def _gap(fits: list[dict[str, Any]]) -> str:
    """What the weights of one method lose on acquired slices."""
    drops = ", ".join(
        f"{wording.signed(row['drop'], row['unit'])} {row['unit']} ({row['fitted_on']})"
        for row in fits
    )
    best = min(fits, key=lambda row: row["p_holm"])
    return (
        f"Given acquired thick slices, {best['method']} fitted on simulated ones changes by "
        f"{drops} against acquired-trained weights ({wording.metric_name(best)}, protocol "
        f"{best['protocol']}; + is worse; {_tested(best)})."
    )


def _tested(row: dict[str, Any]) -> str:
    """What the tests say, or that there are too few patients for any to say something."""
    n = wording.patients([row["n_paired"]])
    if row["n_paired"] < wording.FEW:
        return f"{n}: too few for a test"
    return f"smallest Holm p {wording.p_value(row['p_holm'])}, {n}"


def _mean(row: dict[str, Any]) -> str:
    unit = "" if row["unit"] == "1" else f" {row['unit']}"
    return wording.interval(row["mean"], row["low"], row["high"], row["unit"]) + unit
