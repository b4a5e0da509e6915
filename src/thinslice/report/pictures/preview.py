"""Preview of a restored scan: one picture, next to the thick scan it was made from.

Three planes through the middle, to scale, both scans in the same window. Rows are named after the
plane of the patient they show; scans whose slices are not axial are drawn as they were acquired.
Below: how far the restored scan, made thick again, differs from every thick slice, and warnings.
"""

import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from thinslice.interfaces import Scan
from thinslice.report import style
from thinslice.report.pictures._planes import (
    NORMAL,
    View,
    cut,
    extent,
    limit,
    limits,
    mark,
    plane,
    show,
    window_words,
)
from thinslice.volume import Grid

MIDDLE = (0.5, 0.5, 0.5)
LUNG_HU, LUNG_SHARE = (-950.0, -600.0), 0.15  # of the middle of the scan: then it is a chest
ACROSS = ("sagittal", "coronal", "axial")  # planes across x, y and z of the patient
INCHES, CHART_INCHES = 4.0, 1.3  # width of one image, height of the chart below
LINES, LETTERS = 6, 130  # of the verdict and warnings
CURVES = (
    ("block_rmse", "restored", style.PALETTE[0]),
    ("limit", "limit", style.QUIET),
    ("interpolated", "interpolation", style.PALETTE[1]),
)


def draw(
    thick: Scan,
    restored: Scan,
    out: Path,
    *,
    trust: Mapping[str, Any],
    title: str = "",
    warnings: Sequence[str] = (),
) -> Path:
    """The picture as PNG at ``out``; ``restored`` has the pixels and the frame of ``thick``.

    trust    the report as in the JSON beside the scan
    """
    frame, window = restored.grid, window_for(thick)
    views = [View(name, window) for name in NORMAL]
    extents = [extent(frame, frame, view) for view in views]
    heights = [abs((top - low) / (right - left)) for left, right, low, top in extents]
    verdict = trust["verdict"]["sentence"]
    words = _lines([verdict, *(f"warning: {line}" for line in warnings if line != verdict)])
    height = 1.1 + 1.05 * INCHES * sum(heights) + CHART_INCHES + 0.16 * len(words)
    with style.figure(0.5 + 2 * INCHES, height) as drawn:
        layout = drawn.add_gridspec(4, 2, height_ratios=[*heights, CHART_INCHES / INCHES])
        rows = [[drawn.add_subplot(layout[k, side]) for side in (0, 1)] for k in range(3)]
        for row, view, edges in zip(rows, views, extents):
            span = limits(view, frame, thick, cut(frame, MIDDLE))
            for axes, scan in zip(row, (thick, restored)):
                image = plane(scan, frame, view, cut(frame, MIDDLE))
                show(axes, image, extent(scan.grid, frame, view), span, "gray")
                limit(axes, edges)
                mark(axes, frame, view)
            row[0].set_ylabel(f"{patient_plane(frame, view)}\n{_place(frame, view)}", fontsize=9)
        for axes, name, scan in zip(rows[0], ("thick", "restored"), (thick, restored)):
            axes.set_title(f"{name}: {_slices(scan.grid)}", loc="center")
        unit = "HU" if thick.modality == "CT" else "units"
        _chart(drawn.add_subplot(layout[3, :]), trust["consistency"], unit)
        shades = window_words(views[0], thick).replace("\n", ", ")
        style.title(drawn, f"{title}{shades}. Computed, not acquired; not for diagnosis.", False)
        drawn.supxlabel("\n".join(words), x=0.012, ha="left", fontsize=8, color=style.QUIET)
        how = {"dpi": style.PNG_DPI, "metadata": {"Software": None}}
        drawn.savefig(out, format="png", facecolor="white", **how)
    return out


def _chart(axes: Axes, checks: Mapping[str, Any], unit: str) -> None:
    """What every slice leaves, what it may leave, and what plain interpolation leaves."""
    at = [check["slice"] for check in checks["slices"]]
    for key, name, colour in CURVES:
        values = [check[key] for check in checks["slices"]]
        axes.plot(at, values, ".-", color=colour, lw=0.9, ms=3, label=name)
    axes.set_title("made thick again, minus thick: means of blocks inside the patient")
    axes.set_xlabel("thick slice")
    axes.set_ylabel(unit)
    axes.legend(ncols=3, loc="lower right", bbox_to_anchor=(1, 1), borderaxespad=0, fontsize=8)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    style.numbers_only(axes)


def _lines(sentences: Sequence[str]) -> list[str]:
    lines = [line for words in sentences for line in textwrap.wrap(words, LETTERS)]
    more = ["(more in the JSON beside)"] if len(lines) > LINES else []
    return lines[: LINES - len(more)] + more


def window_for(thick: Scan) -> str:
    """Lung where the middle of the scan is full of it, else soft tissue; of no matter for MR."""
    n, (rows, columns) = thick.grid.n, thick.grid.shape
    middle = thick.read(
        slice(n // 2, n // 2 + 1),
        slice(rows // 4, rows - rows // 4),
        slice(columns // 4, columns - columns // 4),
    )
    low, high = LUNG_HU
    share = float(np.mean((middle > low) & (middle < high)))
    return "lung" if share > LUNG_SHARE else "soft"


def patient_plane(frame: Grid, view: View) -> str:
    """What the plane of the array shows of the patient."""
    across = np.abs(np.array(frame.direction[NORMAL[view.plane]]))
    return ACROSS[int(across.argmax())]


def _place(frame: Grid, view: View) -> str:
    """Which slice, row or column of the restored scan is shown, counted from 1."""
    axis = NORMAL[view.plane]
    n = frame.zyx[axis]
    name = ("slice", "row", "column")[axis]
    return f"{name} {round((n - 1) / 2) + 1} of {n}"


def _slices(grid: Grid) -> str:
    return f"{grid.thickness_mm:g} mm slices every {grid.increment_mm:g} mm"
