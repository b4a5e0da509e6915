"""Figure model grid: the ``benchmark`` analysis by what variants of a method assume.

SR4ZCT (Shi et al. 2023), Fig. 5: methods that simulate thick slices for themselves lose where they
assume other slices than those they are given. One variant of the method per cell, the true
assumption framed.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from thinslice.columns import by_key
from thinslice.interfaces import Figure
from thinslice.report import style
from thinslice.report.figures._panels import shades_of
from thinslice.report.tables import wording
from thinslice.report.tables.sheet import one_metric, only, rows_of, split_by

CAPTION = "Grid of assumptions: the score of a method by the thickness and overlap that it assumed."
NEEDS = ("mean", "published")  # the second is the benchmark's own


def build(
    *,
    methods: Mapping[str, Sequence[float]],
    given: Sequence[float] | None = None,
    degradation: str = "",
    metric: str = "",
    protocol: str = "",
) -> Figure:
    """Draw the ``benchmark`` analysis: one matrix per data set and kind of thick slices.

    methods    name of a variant -> [thickness_mm, overlap_mm] that it assumes
    given      those of the thick slices it is given; framed
    degradation    those thick slices; left out, all of which there are rows, which is wrong where
                   a variant that assumes what it is given is also run on others
    metric, protocol    left out, those of the first row of these methods
    """
    return partial(
        _draw,
        methods=methods,
        given=given,
        degradation=degradation,
        metric=metric,
        protocol=protocol,
    )


def _draw(
    table: pd.DataFrame,
    out_stem: Path,
    *,
    methods: Mapping[str, Sequence[float]],
    given: Sequence[float] | None,
    degradation: str,
    metric: str,
    protocol: str,
) -> list[Path]:
    missing = [name for name in NEEDS if name not in table]
    if missing:
        raise LookupError(f"the grid is drawn from the benchmark analysis; no columns {missing}")
    known = [row for row in rows_of(table) if row["method"] in methods]
    if not known:
        raise LookupError(f"no row of the methods {', '.join(methods)} to draw")
    rows = one_metric(known, metric, protocol)
    rows = only(rows, degradation=[degradation] if degradation else [])
    by_key(rows, "dataset", "degradation", "method")  # refuses two of one place
    panels = split_by(rows, "dataset", "degradation")
    thick = sorted({float(assumed[0]) for assumed in methods.values()})
    over = sorted({float(assumed[1]) for assumed in methods.values()})
    if given is not None and not (float(given[0]) in thick and float(given[1]) in over):
        raise ValueError(
            f"given is {list(given)}; the methods assume {thick} and overlaps {over} mm"
        )
    width = 1.0 + len(panels) * (0.5 + 0.78 * len(over))
    with style.figure(max(width, 4.6), 1.4 + 0.44 * len(thick)) as drawn:
        grid = drawn.subplots(1, len(panels), squeeze=False)
        everywhere, sims = wording.sim_apart(list(panels.values()))
        for axes, ((dataset, degradation), part), sim in zip(grid.flat, panels.items(), sims):
            _matrix(axes, part, methods, thick, over)
            axes.set_title(f"{wording.place(dataset, degradation)}{sim}")
            if given is not None:
                _frame(axes, over.index(float(given[1])), thick.index(float(given[0])))
        grid[0, 0].set_ylabel("thickness assumed (mm)")
        style.title(drawn, _title(rows, given is not None), bool(everywhere))
        return style.save(drawn, out_stem)


def _title(rows: list[dict[str, Any]], framed: bool) -> str:
    first = rows[0]
    better = {"higher": "; darker is better", "lower": "; paler is better"}
    frame = ", the true ones framed" if framed else ""
    n = wording.patients(row["n"] for row in rows)
    odd = f"; {wording.ODD}: not over every patient" if any(row["left_out"] for row in rows) else ""
    return (
        f"mean {wording.metric(first)} by the slices that a method assumes{frame}; "
        f"protocol {first['protocol']}, {n}{better.get(first['better'], '')}{odd}"
    )


def _matrix(
    axes: Axes,
    rows: list[dict[str, Any]],
    methods: Mapping[str, Sequence[float]],
    thick: list[float],
    over: list[float],
) -> None:
    """Shades and numbers; an assumption that was not run stays empty."""
    shades = np.full((len(thick), len(over)), np.nan)
    for row in rows:
        thickness, overlap = (float(mm) for mm in methods[row["method"]])
        y, x = thick.index(thickness), over.index(overlap)
        shades[y, x] = row["mean"] if np.isfinite(row["mean"]) else np.nan
        words = wording.number(row["mean"], row["unit"]) + wording.odd_mark(row)
        text = axes.text(x, y, words, ha="center", va="center", fontsize=8.5, color=style.INK)
        text.set_gid(style.of_row(row))
    span = shades_of(row["mean"] for row in rows)
    axes.imshow(shades, cmap=style.SHADES, norm=span, aspect="auto", origin="lower")
    axes.set_xticks(range(len(over)), [f"{mm:g}" for mm in over])
    axes.set_yticks(range(len(thick)), [f"{mm:g}" for mm in thick])
    axes.set_xlabel("overlap assumed (mm)")
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


def _frame(axes: Axes, x: int, y: int) -> None:
    corner = (x - 0.47, y - 0.46)
    axes.add_patch(Rectangle(corner, 0.94, 0.92, fill=False, edgecolor=style.INK, linewidth=1.4))
