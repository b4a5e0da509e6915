"""Panels: one case by every method in three planes, each in the window that fits it.

TVSRN (Yu et al., MICCAI 2022), Fig. 4, with error maps below every row: restored minus thin in HU.
How planes are cut and turned: ``planes``.
"""

from collections.abc import Mapping, Sequence
from math import ceil
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from thinslice.interfaces import Scan
from thinslice.report import style
from thinslice.report.pictures._planes import (
    View,
    cut,
    extent,
    fitting,
    limit,
    limits,
    mark,
    plane,
    show,
    thick_words,
    window_words,
)
from thinslice.volume import Grid

CAPTION = "Panels: one case by every method in three planes, each in the window that fits it."
PLANES = ("axial", "coronal", "sagittal")
ERROR_HU = 300.0  # error maps saturate here, both ways; in MR at a fifth of the shades shown
INCHES = 1.9  # width of one image
ACROSS = 5  # images in a line: more are read with a magnifying glass


def draw(
    thin: Scan | None,
    thick: Scan,
    restored: Mapping[str, Scan],
    out_stem: Path,
    *,
    case: str = "",
    sim: str = "",
    at: Sequence[float] = (0.5, 0.5, 0.5),
    error_hu: float = ERROR_HU,
) -> list[Path]:
    """Draw scans of one case side by side: thin, thick, then every restored by name.

    thin        None where there are no thin slices: then no error is shown
    sim         "sim" where the scans are simulated: stamped on the figure
    at          where the axial, coronal and sagittal planes cut, as fractions of z, y and x
    error_hu    where error maps saturate

    Raises ValueError for a restored scan that is not on the grid of the thin one.
    """
    frame = thin.grid if thin else next(iter(restored.values())).grid
    for name, scan in restored.items():
        if not scan.grid.same_place(frame):
            raise ValueError(f"{name} is not on the grid asked for; it cannot be subtracted")
    scans = {**({"thin": thin} if thin else {}), "thick": thick, **restored}
    at_mm = cut(frame, at)
    views = [fitting(name, frame, thick, at_mm) for name in PLANES]
    lines = _lines(scans)
    heights = _heights(frame, views, bool(thin)) * len(lines)
    width, height = 0.7 + INCHES * len(lines[0]), 0.6 + 1.08 * INCHES * sum(heights)
    with style.figure(width, height) as drawn:
        grid = drawn.subplots(len(heights), len(lines[0]), squeeze=False, height_ratios=heights)
        errors = None
        for shown, rows in zip(lines, np.split(grid, len(lines))):
            for view, pair in zip(views, np.split(rows, len(views))):
                _images(pair[0], shown, thick, frame, view, at_mm)
                if thin:
                    errors = _errors(pair[1], shown, thick, thin, view, at_mm, error_hu) or errors
            for axes, name in zip(rows[0], shown):
                axes.set_title(style.broken(name), loc="center")
        if thin and errors is not None:
            _colour_bar(drawn, grid[1, 0], errors, thin)
        words = f"{case}: " if case else ""
        words += f"{thick_words(thick.grid, frame)}, planes to scale"
        style.title(drawn, words, bool(sim))
        return style.save(drawn, out_stem, style.PICTURE)


def _heights(frame: Grid, views: Sequence[View], truth: bool) -> list[float]:
    """Heights over width of the rows: images, and their errors where there is a truth."""
    extents = [extent(frame, frame, view) for view in views]
    shares = [abs((top - low) / (right - left)) for left, right, low, top in extents]
    return [share for share in shares for _ in range(2 if truth else 1)]


def _colour_bar(drawn: Figure, axes: Axes, errors: AxesImage, thin: Scan) -> None:
    """What the colours of errors mean, in the place under thin, which has no error."""
    label = f"restored - thin{' (HU)' if thin.modality == 'CT' else ''}"
    beside = axes.inset_axes((0.05, 0.5, 0.9, 0.08))
    drawn.colorbar(errors, cax=beside, orientation="horizontal", label=label)


def _lines(scans: Mapping[str, Scan]) -> list[dict[str, Scan]]:
    """Scans in as few lines as they fit, the lines about equally long."""
    names = list(scans)
    across = ceil(len(names) / ceil(len(names) / ACROSS))
    parts = [names[k : k + across] for k in range(0, len(names), across)]
    return [{name: scans[name] for name in part} for part in parts]


def _images(
    row: Sequence[Axes],
    scans: Mapping[str, Scan],
    thick: Scan,
    frame: Grid,
    view: View,
    cut_mm: Sequence[float],
) -> None:
    """One view of every scan of a line."""
    span = limits(view, frame, thick, cut_mm)
    row[0].set_ylabel(f"{view.plane}\n{window_words(view, thick)}", fontsize=8.5)
    for axes in row[len(scans) :]:
        axes.set_axis_off()
    for axes, scan in zip(row, scans.values()):
        image = plane(scan, frame, view, cut_mm)
        show(axes, image, extent(scan.grid, frame, view), span, "gray")
        limit(axes, extent(frame, frame, view))
        mark(axes, frame, view, scale=axes is row[0])


def _errors(
    row: Sequence[Axes],
    scans: Mapping[str, Scan],
    thick: Scan,
    thin: Scan,
    view: View,
    cut_mm: Sequence[float],
    error_hu: float,
) -> AxesImage | None:
    """Restored minus thin below every image; returns the last map, for its colours."""
    low, high = limits(view, thin.grid, thick, cut_mm)
    most = error_hu if thin.modality == "CT" else (high - low) / 5
    truth, edges = plane(thin, thin.grid, view, cut_mm), extent(thin.grid, thin.grid, view)
    errors = None
    for axes in row[len(scans) :]:
        axes.set_axis_off()
    for axes, (name, scan) in zip(row, scans.items()):
        if name in ("thin", "thick"):
            axes.set_axis_off()
        else:
            difference = plane(scan, thin.grid, view, cut_mm) - truth
            errors = show(axes, difference, edges, (-most, most), "RdBu_r")
        limit(axes, edges)
    return errors
