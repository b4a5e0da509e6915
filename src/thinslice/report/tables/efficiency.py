"""Costs as printed: the main metric, size, seconds and memory."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from thinslice.columns import by_key
from thinslice.report.tables import wording
from thinslice.report.tables.sheet import (
    Cell,
    Sheet,
    best_first,
    entrant_name,
    rows_of,
    split_by,
    with_entrants,
)

QUESTION = "What does a better number cost?"


def sheets(table: pd.DataFrame, skipped: Sequence[tuple[str, str]] = ()) -> list[Sheet]:
    """Per data set and degradation: the main metric, size, seconds and memory."""
    parts = split_by(with_entrants(rows_of(table)), "dataset", "degradation").values()
    return [_costs(rows) for rows in parts]


def _costs(rows: list[dict[str, Any]]) -> Sheet:
    printed = [
        [
            Cell(entrant_name(row)),
            Cell(row["fidelity"]),
            Cell(wording.mean_of(row)),
            Cell(wording.count(row["parameters"])),
            Cell(wording.seconds(row["wall_s"])),
            Cell(wording.number(row["peak_memory_gib"], "mm")),
            Cell(wording.number(row["gpu_memory_gib"], "mm")),
            Cell(wording.duration(row["train_s"])),
            Cell(wording.count(row["volumes"])),
            Cell(str(row["n"])),
            Cell(str(row["row"])),
        ]
        for row in best_first(rows)
    ]
    by_key(rows, "method", "fidelity", "entrant")  # refuses two rows of one name
    first = rows[0]
    where = wording.place(first["dataset"], first["degradation"], first["sim"])
    devices = ", ".join(dict.fromkeys(row["device"] for row in rows if row["device"]))
    caption = (
        f"What a better number costs, on {where}, protocol {first['protocol']}: mean over n "
        "patients [95 % interval], learned parameters, mean seconds per volume, highest memory "
        "(GPU: of its tensors), length of the training. "
        f"Device: {devices or 'unknown'}. Row: data row in efficiency.csv."
    )
    costs = ["parameters", "s / volume", "GiB", "GPU GiB", "training", "volumes", "n", "row"]
    head = ["method", "fidelity", wording.metric(first), *costs]
    return Sheet(caption, head, printed, wording.footnotes(rows), left=2)
