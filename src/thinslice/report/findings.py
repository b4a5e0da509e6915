"""What the tables answer, in sentences; every number in them stands in a table.

A sentence says what was found with its interval, and says when there is too little to tell.
"""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from thinslice.report.tables import wording
from thinslice.report.tables.benchmark import main_metric
from thinslice.report.tables.sheet import best_first, best_row, one_metric, rows_of, split_by


def sentences(tables_by_name: Mapping[str, pd.DataFrame]) -> list[str]:
    """Findings of every benchmark and domain-gap table among these."""
    said: list[str] = []
    for table in tables_by_name.values():
        if table.empty:
            continue
        if "published" in table:
            said += _best(rows_of(table))
        if "tested_on" in table:
            said += _gaps(rows_of(table))
    return said


def _best(rows: list[dict[str, Any]]) -> list[str]:
    """Best method of each data set and kind of thick slices, beside the best untrained one."""
    protocol, metric = main_metric(rows)
    chosen = one_metric(rows, metric, protocol)
    return [_winner(own) for own in split_by(chosen, "dataset", "degradation").values()]


def _winner(rows: list[dict[str, Any]]) -> str:
    first = best_first(rows)[0]
    where = wording.place(first["dataset"], first["degradation"], first["sim"])
    name = wording.metric_name(first)
    said = f"On {where}, {first['method']} has the best {name}: {_mean(first)}"
    untrained = [row for row in rows if row["fitted_on"] == ""]
    if first["fitted_on"] and untrained:
        rival = best_first(untrained)[0]
        said += f"; the best method without training, {rival['method']}, has {_mean(rival)}"
    basis = f" (protocol {first['protocol']}, {wording.patients(row['n'] for row in rows)})"
    if first["n"] == 1:
        return f"{said}{basis}; one patient ranks nothing."
    apart = best_row(rows) is not None
    return said + basis + ("." if apart else "; its interval meets another method's.")


def _gaps(rows: list[dict[str, Any]]) -> list[str]:
    """What the weights fitted on simulated thick slices lose on acquired ones, per method."""
    asked = [
        row
        for row in rows
        if row["tested_on"] == row["reference"]
        and row["fitted_on"] not in ("", row["reference"])
        and row["drop"] == row["drop"]
    ]
    said = []
    for (method, *_), own in split_by(asked, "method", "tested_on", "protocol", "metric").items():
        drops = ", ".join(
            f"{wording.signed(row['drop'], row['unit'])} {row['unit']} ({row['fitted_on']})"
            for row in own
        )
        best = min(own, key=lambda row: row["p_holm"])
        said.append(
            f"Given acquired thick slices, {method} fitted on simulated ones changes by {drops} "
            f"against acquired-trained weights ({wording.metric_name(best)}, protocol "
            f"{best['protocol']}; + is worse; smallest Holm p "
            f"{wording.p_value(best['p_holm'])}, {wording.patients([best['n_paired']])})."
        )
    return said


def _mean(row: dict[str, Any]) -> str:
    unit = "" if row["unit"] == "1" else f" {row['unit']}"
    return wording.interval(row["mean"], row["low"], row["high"], row["unit"]) + unit
