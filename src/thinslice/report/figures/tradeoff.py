"""Figure trade-off: score, seconds and parameters of the ``efficiency`` analysis."""

import math
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.text import Annotation
from matplotlib.ticker import MaxNLocator

from thinslice.interfaces import Figure
from thinslice.report import style
from thinslice.report.figures import _labels
from thinslice.report.figures._panels import add_words
from thinslice.report.tables import wording
from thinslice.report.tables.sheet import name_entrants, rows_of, split_by

CAPTION = "What a better number costs: the main metric over seconds per volume, parameters as area."
SMALLEST, LARGEST = 28.0, 620.0  # points squared


def build(*, degradation: str = "") -> Figure:
    """Draw the ``efficiency`` analysis; one panel per data set, for one kind of thick slices.

    ``degradation`` left out: the one with most methods, acquired if it is among them.
    """
    return partial(_draw, degradation=degradation)


def _draw(table: pd.DataFrame, out_stem: Path, *, degradation: str) -> list[Path]:
    if "wall_s" not in table:
        raise LookupError("the trade-off is drawn from the efficiency analysis")
    rows = name_entrants(rows_of(table), "dataset", "degradation")
    places = [row["degradation"] for row in rows if _drawn(row)] or [r["degradation"] for r in rows]
    chosen = degradation or max(
        dict.fromkeys(places) or [""], key=lambda name: (places.count(name), name == "acquired")
    )
    rows = [row for row in rows if row["degradation"] == chosen]
    if not rows:
        raise LookupError(f"no rows of thick slices {chosen!r} to draw")
    panels = split_by(rows, "dataset")
    colours = style.colours(row["method"] for row in rows)
    most_labels = max(len(part) for part in panels.values())
    height_in = 3.6 + 0.17 * max(0, most_labels - _labels.CROWD)
    with style.figure(1.2 + 4.4 * len(panels), height_in) as drawn:
        grid = drawn.subplots(1, len(panels), squeeze=False)
        labels = []
        for axes, ((dataset,), part) in zip(grid.flat, panels.items()):
            most = max(_learned(row) for row in rows)
            labels.append(_panel(axes, [row for row in part if _drawn(row)], colours, most))
            axes.set_title(f"{wording.place(dataset, chosen)}; {_devices(part)}")
            add_words(axes, "; ".join(_words(row) for row in part if not _drawn(row)))
        grid.flat[0].set_ylabel(wording.metric(rows[0]))
        n = wording.patients(row["n"] for row in rows)
        words = f"mean and 95 % interval; area: parameters; protocol {rows[0]['protocol']}, {n}"
        style.title(drawn, words, any(row["sim"] for row in rows))
        for axes, here in zip(grid.flat, labels):
            _labels.move_apart(drawn, axes, here)
        return style.save(drawn, out_stem)


def _drawn(row: dict[str, Any]) -> bool:
    """Whether the axes, one of them logarithmic, hold the row."""
    return 0 < row["wall_s"] < math.inf and math.isfinite(row["mean"])


def _learned(row: dict[str, Any]) -> float:
    """Parameters, 0 where they are unknown."""
    return row["parameters"] if row["parameters"] > 0 else 0


def _words(row: dict[str, Any]) -> str:
    mean, wall_s = wording.number(row["mean"], row["unit"]), wording.seconds(row["wall_s"])
    return f"{row['method']}: {mean} {row['unit']} in {wall_s} s"


def _devices(rows: list[dict[str, Any]]) -> str:
    return ", ".join(dict.fromkeys(row["device"] for row in rows if row["device"]))


def _panel(
    axes: Axes, rows: list[dict[str, Any]], colours: dict[str, str], most: float
) -> list[Annotation]:
    """Draw the dots; their labels, which may lie over each other."""
    labels: list[Annotation] = []
    untrained = sorted(row["mean"] for row in rows if not _learned(row))
    for row in rows:
        colour = colours[row["method"]]
        x, y = row["wall_s"], row["mean"]
        size = SMALLEST + (LARGEST - SMALLEST) * _learned(row) / max(most, 1)
        if row["low"] == row["low"]:
            axes.plot([x, x], [row["low"], row["high"]], color=colour, linewidth=1.2, zorder=2)
        dot = axes.scatter(x, y, s=size, color=colour, alpha=0.55, linewidth=0, zorder=3)
        dot.set_gid(style.of_row(row))
        # The untrained lie close together: their names go to the right and the left in turn.
        left = not _learned(row) and untrained.index(row["mean"]) % 2 == 1
        beside = (np.sqrt(size) / 2 + 4) * (-1 if left else 1)
        words = [row["method"], wording.count(row["parameters"]) if _learned(row) else ""]
        between = ", " if len(rows) > _labels.CROWD else "\n"
        text = between.join(word for word in words if word)
        labels.append(_labels.add(axes, text, (x, y), beside, fontsize=8.5))
    if rows:
        axes.set_xscale("log")
        seconds = [row["wall_s"] for row in rows]
        if max(seconds) < 10 * min(seconds):  # there may be no power of ten to mark
            axes.xaxis.set_major_locator(MaxNLocator(4))
    axes.margins(x=0.28, y=0.16)
    axes.set_xlabel("seconds per volume")
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.minorticks_off()
    axes.grid(axis="both")
    axes.tick_params(length=0)
    return labels
