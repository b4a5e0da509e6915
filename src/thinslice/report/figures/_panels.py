"""Panels of a figure, one per data set and degradation, with one row of methods in each."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from thinslice.report import style
from thinslice.report.tables import wording

Row = dict[str, Any]


def entrant_name(row: Row) -> str:
    """The method, with its weights where those are also tested elsewhere."""
    source = row["entrant"].split("/")[-1]
    return f"{row['method']} ({source})" if source else row["method"]


def draw_panels(
    grid: np.ndarray,
    panels: Mapping[tuple[str, ...], list[Row]],
    draw: Callable[[Axes, list[Row]], None],
) -> bool:
    """Draw and title every panel, hide the axes left over; whether all panels are ``sim``.

    grid      axes [down, across]
    panels    rows by (dataset, degradation)
    """
    everywhere, sims = wording.sim_apart(list(panels.values()))
    for axes, ((dataset, degradation), rows), sim in zip(grid.flat, panels.items(), sims):
        draw(axes, rows)
        axes.set_title(f"{dataset}, {degradation}{sim}", color=style.INK)
    for axes in grid.flat[len(panels) :]:
        axes.set_visible(False)
    return bool(everywhere)
