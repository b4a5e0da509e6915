"""Figure NAME: drawn from which analysis.

Copy to ``src/thinslice/report/figures/NAME.py``; the config line is
``my_figure: {kind: NAME, table: ANALYSIS}`` under ``figures``.
"""

from functools import partial
from pathlib import Path

import pandas as pd

from thinslice.interfaces import Figure
from thinslice.report import style
from thinslice.report.tables import wording
from thinslice.report.tables.sheet import one_metric, rows_of

CAPTION = "Means: one dot a method, over all cells of the table."  # printed under it on the page


def build(*, metric: str = "", protocol: str = "") -> Figure:
    """Settings of the config line are these parameters; left out, those of the first row."""
    return partial(_draw, metric=metric, protocol=protocol)


def _draw(table: pd.DataFrame, out_stem: Path, *, metric: str, protocol: str) -> list[Path]:
    if "mean" not in table or "method" not in table:
        raise LookupError("means are drawn from the benchmark analysis")
    rows = one_metric(rows_of(table), metric, protocol)
    with style.figure(4.0, 3.0) as drawn:  # inches
        axes = drawn.subplots()
        axes.plot([row["mean"] for row in rows], [row["method"] for row in rows], "o")
        axes.set_xlabel(wording.metric(rows[0]))
        n = wording.patients(row["n"] for row in rows)
        words = f"mean; protocol {rows[0]['protocol']}, {n}"
        style.title(drawn, words, any(row["sim"] for row in rows))
        return style.save(drawn, out_stem)
