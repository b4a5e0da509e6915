"""Figure gap matrix: the ``domain_gap`` analysis."""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import Normalize

from thinslice.columns import by_key
from thinslice.interfaces import Figure
from thinslice.report import style
from thinslice.report.tables import wording
from thinslice.report.tables.sheet import one_metric, rows_of, split_by

CAPTION = "Domain-gap matrix: what weights fitted on one kind of thick slices give on another."
UNTRAINED = "not trained"


def build(*, metric: str = "", protocol: str = "") -> Figure:
    """Draw the ``domain_gap`` analysis: one matrix per trained method, the untrained below.

    Metric and protocol choose what is drawn; left out, those of the first row.
    """
    return partial(_draw, metric=metric, protocol=protocol)


def _draw(table: pd.DataFrame, out_stem: Path, *, metric: str, protocol: str) -> list[Path]:
    if "tested_on" not in table:
        raise LookupError("the gap matrix is drawn from the domain_gap analysis")
    rows = one_metric(rows_of(table), metric, protocol)
    by_key(rows, "method", "fitted_on", "tested_on")  # refuses two of one place
    rows = _with_excess(rows)
    parts = _by_method(rows)
    tested = [name for (name,) in split_by(rows, "tested_on")]
    heights = [len(split_by(part, "fitted_on", "method")) for part in parts.values()]
    span = Normalize(0.0, max((r["excess"] for r in rows if np.isfinite(r["excess"])), default=1.0))
    height = 1.5 + 0.36 * sum(heights) + 0.3 * len(parts)
    with style.figure(2.6 + 1.25 * len(tested), height) as drawn:
        grid = drawn.subplots(len(parts), 1, sharex=True, squeeze=False, height_ratios=heights)
        for axes, (name, part) in zip(grid.flat, parts.items()):
            _matrix(axes, part, tested, span)
            axes.set_title(name if name == UNTRAINED else f"{name}, fitted on")
        everywhere, sims = wording.sim_apart(list(split_by(rows, "tested_on").values()))
        _name_columns(grid.flat[0], [a + sim for a, sim in zip(_short(tested), sims)])
        style.title(drawn, _title(rows), bool(everywhere))
        return style.save(drawn, out_stem)


def _with_excess(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows with ``excess``: how far a mean is from the best of its column, positive is worse.

    Columns are different tasks: only within one do means compare.
    """
    sign = -1.0 if rows[0]["better"] == "higher" else 1.0
    best: dict[str, float] = {}
    for row in rows:
        if np.isfinite(row["mean"]):
            loss = sign * row["mean"]
            best[row["tested_on"]] = min(best.get(row["tested_on"], np.inf), loss)
    return [{**r, "excess": sign * r["mean"] - best.get(r["tested_on"], np.nan)} for r in rows]


def _by_method(rows: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Rows of each trained method, and those of all untrained ones together."""
    parts = {
        name: part for (name,), part in split_by(rows, "method").items() if part[0]["fitted_on"]
    }
    untrained = [row for row in rows if row["fitted_on"] == ""]
    return parts | ({UNTRAINED: untrained} if untrained else {})


def _title(rows: list[dict[str, Any]]) -> str:
    n = wording.patients(row["n"] for row in rows)
    compared = any("(" in _words(row) for row in rows)
    odd = f"; {wording.ODD}: not over every patient" if any(row["left_out"] for row in rows) else ""
    drop = " (change against weights fitted on acquired slices, + is worse)" if compared else ""
    return (
        f"{wording.metric(rows[0])}{drop}; "
        f"protocol {rows[0]['protocol']}, {n}; darker: further from the best of its column{odd}"
    )


def _short(places: list[str]) -> list[str]:
    """Names without their data set, where there is one only."""
    same = len({place.split("/")[0] for place in places}) == 1
    return [place.split("/", 1)[-1] if same else place.replace("/", "\n") for place in places]


def _matrix(axes: Axes, rows: list[dict[str, Any]], tested: list[str], span: Normalize) -> None:
    """One method's matrix with its numbers; a cell that was not run stays empty."""
    names = [source or method for source, method in split_by(rows, "fitted_on", "method")]
    shades = np.full((len(names), len(tested)), np.nan)
    for row in rows:
        y, x = names.index(row["fitted_on"] or row["method"]), tested.index(row["tested_on"])
        shades[y, x] = row["excess"] if np.isfinite(row["excess"]) else np.nan
        words = axes.text(x, y, _words(row), ha="center", va="center", fontsize=9, color=style.INK)
        words.set_gid(style.of_row(row))
    axes.imshow(shades, cmap=style.SHADES, norm=span, aspect="auto")
    axes.set_yticks(range(len(names)), _short(names))
    axes.tick_params(length=0, labelbottom=False)
    axes.spines[:].set_visible(False)
    for edge in range(1, len(tested)):
        axes.axvline(edge - 0.5, color="white", linewidth=1.5)
    for edge in range(1, len(names)):
        axes.axhline(edge - 0.5, color="white", linewidth=1.5)


def _words(row: dict[str, Any]) -> str:
    mean = wording.number(row["mean"], row["unit"]) + wording.odd_mark(row)
    if row["drop"] != row["drop"] or row["fitted_on"] == row["reference"]:
        return mean
    return f"{mean} ({wording.signed(row['drop'], row['unit'])})"


def _name_columns(axes: Axes, tested: list[str]) -> None:
    """What each column was tested on, above the first matrix."""
    above = axes.secondary_xaxis("top")
    above.set_xticks(range(len(tested)), tested)
    above.tick_params(length=0)
    above.spines[:].set_visible(False)
    above.set_xlabel("tested on")
