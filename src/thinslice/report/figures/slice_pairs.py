"""Figure slice pairs: the ``slice_pairs`` analysis."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from thinslice.columns import RELATIONS, by_key
from thinslice.interfaces import Figure
from thinslice.report import style
from thinslice.report.figures._panels import add_words, beyond
from thinslice.report.tables import wording
from thinslice.report.tables.sheet import rows_of, split_by

MEASURE = ("protocol", "metric")
CAPTION = (
    "Slice pairs: how alike a thick slice and the thin slices around it are, by their distance."
)


def build() -> Figure:
    """Draw the ``slice_pairs`` analysis: one row per data set, one panel per metric."""
    return _draw


def _draw(table: pd.DataFrame, out_stem: Path) -> list[Path]:
    if "relation" not in table or table.empty:
        raise LookupError("drawn from the slice_pairs analysis, and it must have rows")
    rows = rows_of(table)
    by_key(
        rows, *MEASURE, "dataset", "degradation", "split", "relation"
    )  # refuses two of one place
    places, metrics = split_by(rows, "dataset", "degradation"), split_by(rows, *MEASURE)
    colours = style.colours(row["split"] for row in rows)
    with style.figure(0.8 + 3.0 * len(metrics), 0.7 + 2.6 * len(places)) as drawn:
        grid = drawn.subplots(len(places), len(metrics), squeeze=False)
        for line, ((dataset, degradation), part) in zip(grid, places.items()):
            for axes, measure in zip(line, metrics):
                chosen = split_by(part, *MEASURE).get(measure, [])
                _panel(axes, chosen, colours)
                axes.set_title(wording.place(dataset, degradation))
                add_words(axes, beyond(chosen, "mean", _place), 40)
        grid.flat[0].legend(loc="best", handlelength=1.2)
        n = wording.patients(row["n"] for row in rows)
        words = f"thick against thin slices, mean and 95 % interval over patients; {n} per split"
        words += f", protocol {', '.join(sorted({row['protocol'] for row in rows}))}"
        style.title(drawn, words, any(row["sim"] for row in rows))
        return style.save(drawn, out_stem)


def _place(row: dict[str, Any]) -> str:
    return f"{row['split']}, {row['relation']}"


def _panel(axes: Axes, rows: list[dict[str, Any]], colours: dict[str, str]) -> None:
    parts = split_by(rows, "split")
    for offset, ((split,), part) in zip(np.linspace(-0.16, 0.16, len(parts)), parts.items()):
        part = sorted(part, key=lambda row: RELATIONS.index(row["relation"]))
        x = [RELATIONS.index(row["relation"]) + offset for row in part]
        mean = [row["mean"] if np.isfinite(row["mean"]) else np.nan for row in part]
        axes.plot(x, mean, color=colours[split], linewidth=0.8, alpha=0.6)
        axes.plot(x, mean, "o", color=colours[split], markersize=4.5, label=split)
        for at, row in zip(x, part):
            ends = [row["low"], row["high"]]
            line = axes.plot([at, at], ends, color=colours[split], linewidth=1.4)[0]
            line.set_gid(style.of_row(row))
    distances = {row["relation"]: row["distance_mm"] for row in rows}
    far = [f"\n{distances[name]:.3g} mm" if name in distances else "" for name in RELATIONS]
    axes.set_xticks(range(len(RELATIONS)), [name + mm for name, mm in zip(RELATIONS, far)])
    axes.set_xlim(-0.5, len(RELATIONS) - 0.5)
    if rows:
        axes.set_ylabel(wording.metric(rows[0]))
    style.numbers_only(axes)
