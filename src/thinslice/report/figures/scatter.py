"""Figure scatter: one method against every other, patient by patient, of the ``patients`` analysis.

TVSRN's supplement has such sample-by-sample plots. A dot on the line is a patient on whom both are
equally good; on which side of it the better method lies, the title says; patients whose numbers no
axis holds are named above the panel.
"""

import math
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from thinslice.columns import by_key
from thinslice.interfaces import Figure
from thinslice.report import style
from thinslice.report.figures._panels import add_words, beyond, by_patient
from thinslice.report.tables import wording
from thinslice.report.tables.sheet import name_entrants, one_metric, rows_of, split_by

CAPTION = "Patient by patient: one method's number over that of every other on the same scan."
NEEDS = ("patient", "value", "mean")
ACROSS = 5  # panels beside each other
MARGIN = 0.06  # of the span, on both sides
Row = dict[str, Any]


def build(*, method: str, metric: str = "", protocol: str = "", degradation: str = "") -> Figure:
    """Draw the ``patients`` analysis: one panel per data set and other method.

    method        on the vertical axis of every panel
    degradation   thick slices drawn; left out: the first that the method was tested on, acquired
                  before others

    Metric and protocol choose what is drawn; left out, those of the first row.
    """
    return partial(_draw, method=method, metric=metric, protocol=protocol, degradation=degradation)


def _draw(
    table: pd.DataFrame,
    out_stem: Path,
    *,
    method: str,
    metric: str,
    protocol: str,
    degradation: str,
) -> list[Path]:
    missing = [name for name in NEEDS if name not in table]
    if missing:
        raise LookupError(f"a scatter is drawn from the patients analysis; no columns {missing}")
    rows = one_metric(rows_of(table), metric, protocol)
    rows = name_entrants(rows, "dataset", "degradation", "patient")
    rows = _of_one_kind(rows, method, degradation)
    panels = _pairs(rows, method)
    across = min(len(panels), ACROSS)
    down = -(-len(panels) // across)
    edges, several = _edges(rows), len({dataset for dataset, _ in panels}) > 1
    with style.figure(1.2 + 2.1 * across, 0.9 + 2.4 * down) as drawn:
        grid = drawn.subplots(down, across, squeeze=False)
        for axes, ((dataset, other), pair) in zip(grid.flat, panels.items()):
            axes.set_title(dataset if several else "")
            axes.set_xlabel(other)
            _panel(axes, pair, edges)
        for axes in grid.flat[len(panels) :]:
            axes.set_visible(False)
        for axes in grid[:, 0]:
            axes.set_ylabel(method)
        n = wording.patients(row["n"] for row in rows)
        side = "above" if rows[0]["better"] == "higher" else "below"
        words = (
            f"{wording.metric(rows[0])}, every patient, {_place(rows, several)}: {side} the line "
            f"{method} is better; protocol {rows[0]['protocol']}, {n}"
        )
        style.title(drawn, words, any(row["sim"] for row in rows))
        return style.save(drawn, out_stem)


def _place(rows: list[Row], several: bool) -> str:
    """The data set, where there is one, and its thick slices."""
    first = rows[0]
    return wording.place("" if several else first["dataset"], first["degradation"]).strip(", ")


def _of_one_kind(rows: list[Row], method: str, degradation: str) -> list[Row]:
    """Rows of the thick slices that are drawn; LookupError where the method has none of them."""
    tested = [row["degradation"] for row in rows if row["method"] == method]
    first = "acquired" if "acquired" in tested else next(iter(tested), "")
    chosen = degradation or first
    if not chosen or chosen not in tested:
        raise LookupError(f"no rows of {method} on thick slices {chosen or 'of any kind'!r}")
    return [row for row in rows if row["degradation"] == chosen]


def _pairs(rows: list[Row], method: str) -> dict[tuple[str, str], list[tuple[Row, Row]]]:
    """By data set and other method, the other's row and ours of every patient of both."""
    by_method = split_by(rows, "dataset", "method")
    pairs: dict[tuple[str, str], list[tuple[Row, Row]]] = {}
    for (dataset, other), part in by_method.items():
        ours = by_key(by_method.get((dataset, method), []), "patient")
        if other != method and ours:
            both = [(row, ours[row["patient"]]) for row in part if row["patient"] in ours]
            pairs[dataset, other] = both
    if not pairs:
        raise LookupError(f"no other method beside {method} to draw")
    return pairs


def _edges(rows: list[Row]) -> tuple[float, float]:
    """One span for both axes of all panels, so that panels can be compared."""
    values = [row["value"] for row in rows if math.isfinite(row["value"])] or [0.0, 1.0]
    margin = MARGIN * ((max(values) - min(values)) or 1.0)
    return min(values) - margin, max(values) + margin


def _panel(axes: Axes, pairs: list[tuple[Row, Row]], edges: tuple[float, float]) -> None:
    axes.plot(edges, edges, color=style.QUIET, linewidth=0.8)
    for other, ours in pairs:
        x, y = other["value"], ours["value"]
        if math.isfinite(x) and math.isfinite(y):
            dot = axes.scatter([x], [y], s=13, color=style.PALETTE[0], linewidth=0)
            dot.set_gid(f"{style.of_row(ours)}-{other['row']}")
    axes.set_xlim(edges)
    axes.set_ylim(edges)
    axes.set_aspect("equal")
    axes.locator_params(nbins=4)
    axes.grid(axis="both")
    axes.tick_params(length=0)
    add_words(axes, beyond([row for pair in pairs for row in pair], "value", by_patient), 34)
