"""Panels of a figure, one per data set and degradation, with one row of methods in each."""

import math
import textwrap
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize

from thinslice.report import style
from thinslice.report.tables import wording

Row = dict[str, Any]


def beyond(rows: Iterable[Row], key: str, name: Callable[[Row], str]) -> str:
    """Numbers of a column that no axis holds, each with its names: "∞: linear; no value: cubic"."""
    named: dict[str, dict[str, None]] = {}
    for row in rows:
        if not math.isfinite(row[key]):
            number = "no value" if math.isnan(row[key]) else wording.number(row[key])
            named.setdefault(number, {})[name(row)] = None
    return "; ".join(f"{number}: {', '.join(names)}" for number, names in named.items())


def by_patient(row: Row) -> str:
    """The name of a patient's number in ``beyond``."""
    return f"{row['patient']} by {row['method']}"


def of_method(row: Row) -> str:
    """The name of a method's number in ``beyond``."""
    return str(row["method"])


def add_words(axes: Axes, words: str, width: int = 60) -> None:
    """Add a line to the title of a panel, for what its axes cannot hold; none without words."""
    if words:
        lines = [axes.get_title(loc="left"), *textwrap.wrap(words, width)]
        axes.set_title("\n".join(line for line in lines if line), loc="left", color=style.INK)


def shades_of(means: Iterable[float]) -> Normalize:
    """The span of shades of the finite means; that from 0 to 1 where there are none."""
    finite = [mean for mean in means if math.isfinite(mean)]
    return Normalize(min(finite, default=0.0), max(finite, default=1.0))


def draw_panels(
    grid: np.ndarray,
    panels: Mapping[tuple[str, ...], list[Row]],
    draw: Callable[[Axes, list[Row]], None],
    key: str,
) -> bool:
    """Draw and title every panel, hide the axes left over; whether all panels are ``sim``.

    grid      axes [down, across]
    panels    rows by (dataset, degradation)
    key       column of the numbers drawn; those that no axis holds are said in the title
    """
    everywhere, sims = wording.sim_apart(list(panels.values()))
    for axes, ((dataset, degradation), rows), sim in zip(grid.flat, panels.items(), sims):
        draw(axes, rows)
        axes.set_title(f"{dataset}, {degradation}{sim}", color=style.INK)
        add_words(axes, beyond(rows, key, by_patient), 44)
    for axes in grid.flat[len(panels) :]:
        axes.set_visible(False)
    return bool(everywhere)
