"""Figure bars: means, intervals and every patient of the ``patients`` analysis."""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from thinslice.interfaces import Figure
from thinslice.report import style
from thinslice.report.figures._panels import draw_panels
from thinslice.report.tables import wording
from thinslice.report.tables.sheet import name_entrants, one_metric, rows_of, split_by

CAPTION = "Bars with cases: a cell's mean as a bar, its interval as a line, every patient as a dot."
ACROSS = 2  # panels in a line: more would be read with a magnifying glass
NEEDS = ("patient", "value", "mean", "low", "high")


def build(*, metric: str = "", protocol: str = "") -> Figure:
    """Draw the ``patients`` analysis: one panel per data set and degradation.

    Metric and protocol choose what is drawn; left out, those of the first row.
    """
    return partial(_draw, metric=metric, protocol=protocol)


def _draw(table: pd.DataFrame, out_stem: Path, *, metric: str, protocol: str) -> list[Path]:
    missing = [name for name in NEEDS if name not in table]
    if missing:
        raise LookupError(f"bars are drawn from the patients analysis; no columns {missing}")
    rows = one_metric(rows_of(table), metric, protocol)
    rows = name_entrants(rows, "dataset", "degradation", "patient")
    panels = split_by(rows, "dataset", "degradation")
    colours = style.colours(row["method"] for row in rows)
    methods = _by_mean(rows)
    across = min(len(panels), ACROSS)
    down = -(-len(panels) // across)
    width = max(5.0, across * (0.9 + 0.4 * len(methods)))
    with style.figure(width, 0.6 + 2.9 * down) as drawn:
        grid = drawn.subplots(down, across, sharey=True, squeeze=False)
        draw = partial(_panel, methods=methods, colours=colours)
        everywhere = draw_panels(grid, panels, draw, "value")
        for axes in grid[:, 0]:
            axes.set_ylabel(wording.metric(rows[0]))
        n = wording.patients(row["n"] for row in rows)
        words = f"mean, 95 % interval, every patient; protocol {rows[0]['protocol']}, {n}"
        style.title(drawn, words, everywhere)
        return style.save(drawn, out_stem)


def _by_mean(rows: list[dict[str, Any]]) -> list[str]:
    """Methods in one order for all panels: the first panel's best first."""
    sign = -1.0 if rows[0]["better"] == "higher" else 1.0
    means = {row["row"]: sign * row["mean"] for row in rows if row["mean"] == row["mean"]}
    ranked = sorted(rows, key=lambda row: means.get(row["row"], np.inf))
    return list(dict.fromkeys(row["method"] for row in ranked))


def _panel(
    axes: Axes, rows: list[dict[str, Any]], methods: list[str], colours: dict[str, str]
) -> None:
    part = split_by(rows, "method")
    for x, method in enumerate(methods):
        patients = part.get((method,), [])
        if not patients:
            axes.annotate("not run", (x, 0), rotation=90, ha="center", va="bottom", fontsize=8)
            continue
        first = patients[0]
        if not np.isfinite(first["mean"]):
            axes.annotate(wording.number(first["mean"]), (x, 0), ha="center", va="bottom")
            continue
        gid = style.of_row(first)
        bar = {"width": 0.66, "alpha": 0.45, "linewidth": 0}
        axes.bar(x, first["mean"], color=colours[method], **bar)[0].set_gid(gid)
        if first["low"] == first["low"]:
            axes.plot([x, x], [first["low"], first["high"]], color=style.INK, linewidth=1.3)
        offsets = np.linspace(-0.2, 0.2, len(patients)) if len(patients) > 1 else [0.0]
        for row, aside in zip(patients, offsets):
            value = row["value"] if np.isfinite(row["value"]) else np.nan
            dot = axes.scatter(x + aside, value, s=13, color=colours[method], zorder=3, lw=0)
            dot.set_gid(style.of_row(row))
    axes.set_xlim(-0.6, len(methods) - 0.4)
    axes.set_xticks(range(len(methods)), methods, rotation=40, ha="right", rotation_mode="anchor")
    style.numbers_only(axes)
