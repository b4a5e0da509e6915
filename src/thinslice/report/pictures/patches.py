"""Patches: small parts of one case enlarged, by every method beside thin and thick.

SR4ZCT (Shi et al. 2023), Figs. 3, 4, 6 and 7; Georgescu et al. 2020, Fig. 6. Theirs carry the
patch's own PSNR and SSIM; ours carry no number, for a figure measures nothing and the score of a
whole case says little of a patch.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

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
    limit,
    limits,
    mark,
    plane,
    show,
    thick_words,
    window_words,
)
from thinslice.volume import Grid

CAPTION = "Patches: small parts of one case enlarged, by every method beside thin and thick."
INCHES = 1.6  # side of one patch
SQUARE = "#E69F00"


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
    case: str = "",
    sim: str = "",
) -> list[Path]:
    """Draw one row per box: where it lies, then the patch of thin, thick and every restored.

    thin     None where there are no thin slices
    boxes    {plane, at: [z, y, x] as fractions, size_mm, window: lung, bone or soft}
    sim      "sim" where the scans are simulated: stamped on the figure

    Raises ValueError for a box that is none, and where there is no box.
    """
    wanted = [_box(box) for box in boxes]
    if not wanted:
        raise ValueError("no patch to draw: the config's patches are empty")
    frame = thin.grid if thin else next(iter(restored.values())).grid
    scans = {**({"thin": thin} if thin else {}), "thick": thick, **restored}
    whole = thin if thin else next(iter(restored.values()))
    width, height = 0.5 + INCHES * (len(scans) + 1), 0.6 + 1.05 * INCHES * len(wanted)
    with style.figure(width, height) as drawn:
        grid = drawn.subplots(len(wanted), len(scans) + 1, squeeze=False)
        for row, box in zip(grid, wanted):
            _row(row, box, scans, whole, frame)
        for axes, name in zip(grid[0], ("where", *scans)):
            axes.set_title(style.broken(name), loc="center")
        words = f"{case}: " if case else ""
        words += f"patches enlarged, {thick_words(thick.grid, frame)}"
        style.title(drawn, words, bool(sim))
        return style.save(drawn, out_stem, style.PICTURE)


def _box(given: Mapping[str, Any]) -> Box:
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


def _edges(box: Box, cut_mm: Sequence[float]) -> tuple[float, float, float, float]:
    """The box's left, right, bottom and top in mm; y grows downwards."""
    z, y, x = cut_mm
    half = box.size_mm / 2
    across = y if box.plane == "sagittal" else x
    up = (y + half, y - half) if box.plane == "axial" else (z - half, z + half)
    return (across - half, across + half, *up)
