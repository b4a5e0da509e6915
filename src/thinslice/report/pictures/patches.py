"""Patches: small parts of one case enlarged, by every method beside thin and thick.

SR4ZCT (Shi et al. 2023), Figs. 3, 4, 6 and 7; Georgescu et al. 2020, Fig. 6. Like theirs, ours
carry the patch's own PSNR and SSIM in their corners, where there is a thin scan to compare with.
They are handed in: a figure measures nothing.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from thinslice.interfaces import Scan
from thinslice.report import style
from thinslice.report.pictures._planes import (
    NORMAL,
    WINDOWS,
    View,
    cut,
    extent,
    first_mm,
    limit,
    limits,
    mark,
    plane,
    show,
    thick_words,
    window_words,
)
from thinslice.report.tables import wording
from thinslice.volume import Grid

CAPTION = "Patches: small parts of one case enlarged, by every method beside thin and thick."
INCHES = 1.6  # side of one patch
SQUARE = "#E69F00"
ROUNDING = 1e-6  # voxels: a centre on the patch's edge is in it


class Box(NamedTuple):
    """A square part of a plane."""

    plane: str  # "axial", "coronal" or "sagittal"
    at: Sequence[float] = (0.5, 0.5, 0.5)  # its centre, as fractions of z, y and x
    size_mm: float = 40.0
    window: str = "lung"


def draw(
    thin: Scan | None,
    thick: Scan,
    restored: Mapping[str, Scan],
    out_stem: Path,
    *,
    boxes: Sequence[Mapping[str, Any]],
    scores: Mapping[tuple[int, str], tuple[float, ...]] | None = None,
    case: str = "",
    sim: str = "",
) -> list[Path]:
    """Draw one row per box: where it lies, then the patch of thin, thick and every restored.

    thin     None where there are no thin slices
    boxes    {plane, at: [z, y, x] as fractions, size_mm, window: lung, bone or soft}
    scores   PSNR and SSIM by the patch's number, from 1, and the restored scan's name
    sim      "sim" where the scans are simulated: stamped on the figure

    Raises ValueError for a box that is none, and where there is no box.
    """
    wanted = [box_of(box) for box in boxes]
    if not wanted:
        raise ValueError("no patch to draw: the config's patches are empty")
    frame = thin.grid if thin else next(iter(restored.values())).grid
    scans = {**({"thin": thin} if thin else {}), "thick": thick, **restored}
    whole = thin if thin else next(iter(restored.values()))
    width, height = 0.5 + INCHES * (len(scans) + 1), 0.6 + 1.05 * INCHES * len(wanted)
    with style.figure(width, height) as drawn:
        grid = drawn.subplots(len(wanted), len(scans) + 1, squeeze=False)
        for number, (row, box) in enumerate(zip(grid, wanted), 1):
            _row(row, box, scans, whole, frame)
            for axes, name in zip(row[1:], scans):
                if scores and (number, name) in scores:
                    _corners(axes, *scores[number, name][:2])
        for axes, name in zip(grid[0], ("where", *scans)):
            axes.set_title(style.broken(name), loc="center")
        words = f"{case}: " if case else ""
        words += f"patches enlarged, {thick_words(thick.grid, frame)}"
        if scores:
            words += f"; PSNR in dB above, SSIM below, of the patch: rows of {out_stem.name}.csv"
        style.title(drawn, words, bool(sim))
        return style.save(drawn, out_stem, style.PICTURE)


def box_of(given: Mapping[str, Any]) -> Box:
    """A box of the config, or ValueError."""
    if "plane" not in given or set(given) - set(Box._fields):
        raise ValueError(f"a patch says plane, at, size_mm and window, found {sorted(given)}")
    box = Box(**given)
    if box.plane not in NORMAL or box.window not in WINDOWS:
        raise ValueError(
            f"a patch lies in a plane {', '.join(NORMAL)} and is shown in a window "
            f"{', '.join(WINDOWS)}; found {box.plane!r} and {box.window!r}"
        )
    if len(box.at) != 3 or not all(0 <= fraction <= 1 for fraction in box.at) or box.size_mm <= 0:
        raise ValueError(
            f"a patch is at fractions of z, y and x from 0 to 1 and has a size; found at "
            f"{list(box.at)}, size_mm {box.size_mm:g}"
        )
    return box


def _row(
    row: Sequence[Axes], box: Box, scans: Mapping[str, Scan], whole: Scan, frame: Grid
) -> None:
    """Where the box lies, then its part of every scan."""
    view, cut_mm = View(box.plane, box.window), cut(frame, box.at)
    span = limits(view, frame, scans["thick"], cut_mm)
    edges = _edges(box, cut_mm)
    for axes, scan in zip(row, (whole, *scans.values())):
        image = plane(scan, frame, view, cut_mm)
        show(axes, image, extent(scan.grid, frame, view), span, "gray")
        limit(axes, edges)
    limit(row[0], extent(frame, frame, view))
    mark(row[0], frame, view)
    left, right, low, high = edges
    corner = (left, min(low, high))
    square = Rectangle(corner, right - left, abs(high - low), fill=False, edgecolor=SQUARE)
    row[0].add_patch(square)
    row[0].set_ylabel(f"{box.plane}\n{window_words(view, scans['thick'])}", fontsize=8.5)


def part_of(grid: Grid, frame: Grid, box: Box) -> tuple[slice, slice, slice]:
    """The voxels of a scan whose centres lie in the box, one plane of them; at least one each way.

    frame   grid that the box's fractions are of
    """
    at_mm, normal = cut(frame, box.at), NORMAL[box.plane]
    steps = (grid.increment_mm, *grid.pixel_mm)
    block = []
    for axis, (middle, first, step, n) in enumerate(
        zip(at_mm, first_mm(grid, frame), steps, grid.zyx)
    ):
        half = 0.0 if axis == normal else box.size_mm / 2
        low = int(np.ceil((middle - half - first) / step - ROUNDING))
        high = int(np.floor((middle + half - first) / step + ROUNDING))
        if axis == normal or high < low:  # the plane nearest to the cut
            low = high = round((middle - first) / step)
        low, high = (min(max(k, 0), n - 1) for k in (low, high))
        block.append(slice(low, high + 1))
    return block[0], block[1], block[2]


def _corners(axes: Axes, psnr_db: float, ssim: float) -> None:
    """PSNR in the top left corner, SSIM in the bottom left one."""
    paper = {"facecolor": "black", "alpha": 0.6, "linewidth": 0, "pad": 1.2}
    for number, unit, up in ((psnr_db, "dB", True), (ssim, "1", False)):
        axes.annotate(
            wording.number(number, unit),
            (0.03, 0.97 if up else 0.03),
            xycoords="axes fraction",
            va="top" if up else "bottom",
            fontsize=8,
            color="white",
            bbox=paper,
        )


def _edges(box: Box, cut_mm: Sequence[float]) -> tuple[float, float, float, float]:
    """The box's left, right, bottom and top in mm; y grows downwards."""
    z, y, x = cut_mm
    half = box.size_mm / 2
    across = y if box.plane == "sagittal" else x
    up = (y + half, y - half) if box.plane == "axial" else (z - half, z + half)
    return (across - half, across + half, *up)
