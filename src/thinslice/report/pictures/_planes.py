"""Planes through scans of one case, drawn in mm: what panels and patches have in common.

Slices are drawn in mm, so thick slices look as thick as they are. Head is up, front is up in axial
and left in sagittal images, the patient's right is on the left, as radiologists have it.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patheffects import withStroke

from thinslice.interfaces import Scan
from thinslice.volume import Grid

WINDOWS = {  # HU shown black and white
    "lung": (-1350.0, 150.0),  # centre -600, width 1500
    "bone": (-550.0, 1450.0),  # centre 450, width 2000
    "soft": (-160.0, 240.0),  # centre 40, width 400
}
LUNG_HU, SOME_LUNG = (-930.0, -500.0), 0.1
BONE_HU, SOME_BONE = 250.0, 0.005
SIDES = (("R", "L"), ("A", "P"), ("F", "H"))  # at the low and high ends of LPS axes
MARK = "#FFE08A"
NORMAL = {"axial": 0, "coronal": 1, "sagittal": 2}  # array axis across the plane


class View(NamedTuple):
    """A plane through the volume and the window it is shown in."""

    plane: str  # "axial", "coronal" or "sagittal"
    window: str  # of WINDOWS


def window_words(view: View, thick: Scan) -> str:
    """Label of the grey scale."""
    if thick.modality != "CT":
        return "1 to 99 % of thick"
    low, high = WINDOWS[view.window]
    return f"{view.window} window\n{low:g} to {high:g} HU"


def fitting(name: str, frame: Grid, thick: Scan, cut_mm: Sequence[float]) -> View:
    """A plane in the window that fits what the thick scan shows there.

    Lung where a tenth of what is no air is lung, else soft; sagittal, across the spine, bone where
    there is any. MR has no HU; its window is not looked at.
    """
    hu = plane(thick, frame, View(name, "soft"), cut_mm)
    body = hu[hu > LUNG_HU[0]]
    if name == "sagittal" and np.mean(hu > BONE_HU) > SOME_BONE:
        return View(name, "bone")
    lung = body.size and np.mean(body < LUNG_HU[1]) > SOME_LUNG
    return View(name, "lung" if lung else "soft")


def thick_words(thick: Grid, frame: Grid) -> str:
    """How far apart thick slices are, and how large their pixels where they are coarser."""
    words = f"thick slices every {thick.increment_mm:g} mm"
    if thick.shape == frame.shape:
        return words
    sides = dict.fromkeys(f"{side:g}" for side in thick.pixel_mm)
    return f"{words} with pixels of {' x '.join(sides)} mm"


def limits(view: View, frame: Grid, thick: Scan, cut_mm: Sequence[float]) -> tuple[float, float]:
    """What is black and what is white: the window's HU; MR has none, there percentiles of thick."""
    if thick.modality == "CT":
        return WINDOWS[view.window]
    low, high = np.percentile(plane(thick, frame, view, cut_mm), (1, 99))
    return float(low), float(max(high, low + 1e-6))


def letters(frame: Grid, plane: str) -> tuple[str, str]:
    """What lies at the left and the right edge of a plane: L or R of the patient, A or P, H or F.

    Axes of a grid are LPS: towards the left, the back, the head of the patient.
    """
    across = np.array(frame.direction[1 if plane == "sagittal" else 2])
    axis = int(np.abs(across).argmax())
    low, high = SIDES[axis] if across[axis] > 0 else SIDES[axis][::-1]
    return low, high


def mark(axes: Axes, frame: Grid, view: View, scale: bool = True) -> None:
    """Write the sides of the patient at the edges of an image; draw a bar of a round length."""
    left, right, low, high = extent(frame, frame, view)
    words = {"color": MARK, "fontsize": 8, "fontweight": "bold", "va": "top"}
    outline = [withStroke(linewidth=1.5, foreground="black")]
    for x, letter, side in zip((0.02, 0.98), letters(frame, view.plane), ("left", "right")):
        axes.text(x, 0.97, letter, ha=side, transform=axes.transAxes, path_effects=outline, **words)
    if not scale:
        return
    mm = bar_mm(right - left)
    x = left + 0.03 * (right - left)
    y = low + 0.05 * (high - low)
    effects = [withStroke(linewidth=3.2, foreground="black")]
    axes.plot([x, x + mm], [y, y], color=MARK, lw=1.8, solid_capstyle="butt", path_effects=effects)
    words = {**words, "va": "center", "fontweight": "normal"}
    axes.text(x + mm + 0.02 * (right - left), y, f"{mm:g} mm", path_effects=outline, **words)


def bar_mm(width_mm: float) -> float:
    """Length of a scale bar: the longest of 100, 50, 20, ... mm within a third of a width."""
    lengths = [step * 10.0**k for k in range(3, -3, -1) for step in (5, 2, 1)]
    return next((mm for mm in lengths if mm <= width_mm / 3), lengths[-1])


def limit(axes: Axes, edges: tuple[float, float, float, float]) -> None:
    """Show what lies between these edges, mm."""
    axes.set_xlim(edges[:2])
    axes.set_ylim(edges[2:])


def cut(grid: Grid, at: Sequence[float]) -> tuple[float, float, float]:
    """Where the three planes lie, mm along z, y and x of the grid's own frame."""
    z = grid.start_mm + at[0] * (grid.n - 1) * grid.increment_mm
    y, x = (f * (n - 1) * p for f, n, p in zip(at[1:], grid.shape, grid.pixel_mm))
    return z, y, x


def plane(scan: Scan, frame: Grid, view: View, cut_mm: Sequence[float]) -> np.ndarray:
    """The slice of the scan nearest to the cut, rows downwards in the array's own order."""
    grid, axis = scan.grid, NORMAL[view.plane]
    steps = (grid.increment_mm, *grid.pixel_mm)
    index = round((cut_mm[axis] - first_mm(grid, frame)[axis]) / steps[axis])
    index = min(max(index, 0), grid.zyx[axis] - 1)
    block = [slice(None)] * 3
    block[axis] = slice(index, index + 1)
    return np.asarray(scan.read(*block)).squeeze(axis)


def first_mm(grid: Grid, frame: Grid) -> tuple[float, float, float]:
    """The first voxel's centre, mm along z, y and x of ``frame``; coarser pixels start later."""
    aside = np.array(frame.direction) @ np.subtract(grid.origin_mm, frame.origin_mm)
    z, y, x = (float(mm) for mm in aside)
    return grid.start_mm + z, y, x


def extent(grid: Grid, frame: Grid, view: View) -> tuple[float, float, float, float]:
    """Outer edges of the first and last voxels in mm: left, right, bottom, top."""
    first = first_mm(grid, frame)
    z = _edges(first[0], grid.n, grid.increment_mm)
    y = _edges(first[1], grid.shape[0], grid.pixel_mm[0])
    x = _edges(first[2], grid.shape[1], grid.pixel_mm[1])
    if view.plane == "axial":
        return (*x, y[1], y[0])  # y grows to the back, which is down
    return (*(x if view.plane == "coronal" else y), *z)


def _edges(start: float, n: int, step: float) -> tuple[float, float]:
    return start - step / 2, start + (n - 0.5) * step


def show(
    axes: Axes,
    image: np.ndarray,
    edges: tuple[float, float, float, float],
    span: tuple[float, float],
    colours: str,
):
    """Draw an image in mm; its first row lies at the low edge in z, at its top in y."""
    origin = "upper" if edges[2] > edges[3] else "lower"
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)
    return axes.imshow(
        image,
        cmap=colours,
        vmin=span[0],
        vmax=span[1],
        extent=edges,
        origin=origin,
        interpolation="nearest",
        aspect="equal",
    )
