"""Figure distribution: every patient of the ``patients`` analysis, with quartiles.

ACVTT's Fig. 6. Quartiles need patients: with fewer than five, dots and the median stand alone.
"""

from collections.abc import Collection
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
from thinslice.report.tables.sheet import name_entrants, one_metric, only, rows_of, split_by

CAPTION = (
    "Distributions: every test patient's own number by every method, with quartiles next to "
    "the dots."
)
NEEDS = ("patient", "value", "mean")
ENOUGH_FOR_QUARTILES = 5
LINE = {"color": style.INK, "linewidth": 0.9}


def build(*, metric: str = "", protocol: str = "", datasets: Collection[str] = ()) -> Figure:
    """Draw the ``patients`` analysis: one panel per data set and degradation, methods down.

    Metric and protocol choose what is drawn; left out, those of the first row. Of the data sets
    all are drawn, unless some are named: a protocol may be meant for these alone.
    """
    return partial(_draw, metric=metric, protocol=protocol, datasets=datasets)


def _draw(
    table: pd.DataFrame, out_stem: Path, *, metric: str, protocol: str, datasets: Collection[str]
) -> list[Path]:
    missing = [name for name in NEEDS if name not in table]
    if missing:
        raise LookupError(f"distributions are drawn from the patients analysis; no {missing}")
    rows = one_metric(rows_of(table), metric, protocol)
    rows = only(rows, dataset=datasets)
    rows = name_entrants(rows, "dataset", "degradation", "patient")
    panels = split_by(rows, "dataset", "degradation")
    methods = _worst_first(rows)
    colours = style.colours(methods)
    across = min(len(panels), 3)
    down = -(-len(panels) // across)
    height = 0.9 + down * (0.6 + 0.34 * len(methods))
    with style.figure(1.4 + 3.6 * across, height) as drawn:
        grid = drawn.subplots(down, across, sharex=True, sharey=True, squeeze=False)
        draw = partial(_panel, methods=methods, colours=colours)
        everywhere = draw_panels(grid, panels, draw, "value")
        for axes in grid.flat[max(0, len(panels) - across) : len(panels)]:  # nothing below them
            axes.tick_params(labelbottom=True)
            axes.set_xlabel(wording.metric(rows[0]))
        n = wording.patients(row["n"] for row in rows)
        few = max(row["n"] for row in rows) < ENOUGH_FOR_QUARTILES
        shown = "median" if few else "median, quartiles, whiskers to 1.5 quartile ranges"
        words = f"every patient; {shown}; protocol {rows[0]['protocol']}, {n}"
        style.title(drawn, words, everywhere)
        return style.save(drawn, out_stem)


def _worst_first(rows: list[dict[str, Any]]) -> list[str]:
    """Methods from below upwards, one order for all panels: the first panel's best on top."""
    sign = 1.0 if rows[0]["better"] == "higher" else -1.0
    first = next(iter(split_by(rows, "dataset", "degradation").values()))
    means = {row["row"]: -sign * row["mean"] for row in first if row["mean"] == row["mean"]}
    ranked = [*sorted(first, key=lambda row: means.get(row["row"], np.inf)), *rows]
    return list(dict.fromkeys(row["method"] for row in ranked))[::-1]


def _panel(
    axes: Axes, rows: list[dict[str, Any]], methods: list[str], colours: dict[str, str]
) -> None:
    part = split_by(rows, "method")
    for y, method in enumerate(methods):
        known = [row for row in part.get((method,), []) if np.isfinite(row["value"])]
        values = np.array([row["value"] for row in known])
        if not len(values):
            words = "not run" if (method,) not in part else "no finite value"
            axes.annotate(words, (0.5, y), xycoords=("axes fraction", "data"), va="center")
            continue
        if len(values) < ENOUGH_FOR_QUARTILES:
            axes.plot([np.median(values)] * 2, [y - 0.28, y + 0.28], **LINE)
        else:
            _box(axes, values, y, colours[method])
        spread = np.linspace(-0.16, 0.16, len(values)) if len(values) > 1 else np.zeros(1)
        for row, x, apart in zip(known, values, spread):
            dot = axes.scatter([x], [y + apart], s=9, color=colours[method], zorder=3, linewidth=0)
            dot.set_gid(style.of_row(row))
    axes.set_ylim(-0.6, len(methods) - 0.4)
    axes.set_yticks(range(len(methods)), methods)
    style.numbers_only(axes, "x")


def _box(axes: Axes, values: np.ndarray, y: float, colour: str) -> None:
    axes.boxplot(
        [values],
        positions=[y],
        orientation="horizontal",
        widths=0.56,
        showfliers=False,
        patch_artist=True,
        manage_ticks=False,
        boxprops={"facecolor": colour, "alpha": 0.3, "linewidth": 0},
        medianprops=LINE,
        whiskerprops=LINE,
        capprops={"linewidth": 0},
    )
