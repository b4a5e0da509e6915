"""Figure references: the ``efficiency`` analysis by number of reference images.

ACVTT's Table 5 and Fig. 8: what another reference is worth, and what it costs.
"""

import math
from collections.abc import Collection, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from thinslice.columns import by_key
from thinslice.interfaces import Figure
from thinslice.report import style
from thinslice.report.figures._panels import add_words, beyond, of_method
from thinslice.report.tables import wording
from thinslice.report.tables.sheet import only, rows_of, split_by

CAPTION = "References: the score and the seconds of a method by how many reference images it takes."
APART = 0.05  # of one reference, between lines that share a count


def build(*, lines: Mapping[str, Mapping[int, str]], datasets: Collection[str] = ()) -> Figure:
    """Draw the ``efficiency`` analysis: per data set and kind of thick slices, score and seconds.

    lines    name of a line -> number of references -> method, e.g.
             {"by relevance": {0: "acvtt_r0", 1: "acvtt_r1"}, "averaged": {2: "acvtt_r2_average"}}
    datasets    those drawn; none named: all
    """
    return partial(_draw, lines=lines, datasets=datasets)


def _draw(
    table: pd.DataFrame,
    out_stem: Path,
    *,
    lines: Mapping[str, Mapping[int, str]],
    datasets: Collection[str],
) -> list[Path]:
    if "wall_s" not in table:
        raise LookupError("references are drawn from the efficiency analysis")
    entries = [(line, int(k), name) for line in sorted(lines) for k, name in lines[line].items()]
    rows = [
        {**row, "line": line, "references": count}
        for row in rows_of(table)
        for line, count, name in entries
        if row["method"] == name
    ]
    if not rows:
        raise LookupError(f"no row of the methods {', '.join(m for *_, m in entries)} to draw")
    rows = only(rows, dataset=datasets)
    by_key(rows, "dataset", "degradation", "line", "references")  # refuses two of one place
    panels = split_by(rows, "dataset", "degradation")
    colours = style.colours(lines)
    with style.figure(7.4, 0.7 + 2.6 * len(panels)) as drawn:
        grid = drawn.subplots(len(panels), 2, squeeze=False)
        everywhere, sims = wording.sim_apart(list(panels.values()))
        for pair, ((dataset, degradation), part), sim in zip(grid, panels.items(), sims):
            _scores(pair[0], part, colours)
            _seconds(pair[1], part, colours)
            pair[0].set_title(f"{wording.place(dataset, degradation)}{sim}")
            for axes, key in zip(pair, ("mean", "wall_s")):
                add_words(axes, beyond(part, key, of_method), 40)
        if len(lines) > 1:
            grid[0, 0].legend(loc="best", handlelength=1.2)
        n = wording.patients(row["n"] for row in rows)
        words = f"mean and 95 % interval; protocol {rows[0]['protocol']}, {n}"
        style.title(drawn, words, bool(everywhere))
        return style.save(drawn, out_stem)


def _scores(axes: Axes, rows: list[dict[str, Any]], colours: Mapping[str, str]) -> None:
    """Score over the number of references, one line each way of using them."""
    parts = split_by(rows, "line")
    for k, ((line,), part) in enumerate(parts.items()):
        part = sorted(part, key=lambda row: row["references"])
        x = [row["references"] + APART * (k - (len(parts) - 1) / 2) for row in part]
        y = [row["mean"] if math.isfinite(row["mean"]) else math.nan for row in part]
        axes.plot(x, y, "o-", color=colours[line], lw=1.1, ms=4, label=line)
        for at, row in zip(x, part):
            if row["low"] == row["low"]:
                ends = [row["low"], row["high"]]
                whisker = axes.plot([at, at], ends, color=colours[line], lw=1.4)[0]
                whisker.set_gid(style.of_row(row))
    axes.set_ylabel(wording.metric(rows[0]))
    _counts(axes, rows)


def _seconds(axes: Axes, rows: list[dict[str, Any]], colours: Mapping[str, str]) -> None:
    """Seconds per volume over the number of references."""
    timed = [row for row in rows if math.isfinite(row["wall_s"])]
    for (line,), part in split_by(timed, "line").items():
        part = sorted(part, key=lambda row: row["references"])
        x, y = [row["references"] for row in part], [row["wall_s"] for row in part]
        axes.plot(x, y, "o-", color=colours[line], lw=1.1, ms=4)
    devices = ", ".join(dict.fromkeys(row["device"] for row in timed if row["device"]))
    axes.set_title(devices)
    axes.set_ylabel("seconds per volume")
    axes.set_ylim(0, 1.08 * max((row["wall_s"] for row in timed), default=0.0) or 1.0)
    _counts(axes, rows)


def _counts(axes: Axes, rows: list[dict[str, Any]]) -> None:
    counts = sorted({row["references"] for row in rows})
    axes.set_xlabel("references")
    axes.set_xlim(counts[0] - 0.4, counts[-1] + 0.4)
    axes.set_xticks(counts)
    style.numbers_only(axes)
