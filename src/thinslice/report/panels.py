"""Panels: one case by every method, axial and coronal in a lung window, sagittal in a bone window.

TVSRN (Yu et al., MICCAI 2022), Fig. 4, with error maps below every row: restored minus thin in HU.
Slices are drawn in mm, so thick slices look as thick as they are. Head is up, front is up in axial
and left in sagittal images, the patient's right is on the left, as radiologists have it.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes

from thinslice.report import style
from thinslice.seams import Scan
from thinslice.volume import Grid


class View(NamedTuple):
    """A plane through the volume and the HU shown black to white."""

    plane: str  # "axial", "coronal" or "sagittal"
    window: str
    low_hu: float
    high_hu: float


VIEWS = (
    View("axial", "lung", -1350.0, 150.0),  # centre -600, width 1500
    View("coronal", "lung", -1350.0, 150.0),
    View("sagittal", "bone", -550.0, 1450.0),  # centre 450, width 2000
)
NORMAL = {"axial": 0, "coronal": 1, "sagittal": 2}  # array axis across the plane
ERROR_HU = 300.0  # error maps saturate here, both ways
BAR = "restored - thin (HU)"
INCHES = 1.75  # width of one image


def draw(
    thin: Scan,
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

    sim         "sim" where the scans are simulated: stamped on the figure
    at          where the axial, coronal and sagittal planes cut, as fractions of z, y and x
    error_hu    where error maps saturate

    Raises ValueError for a restored scan that is not on the grid of the thin one.
    """
    for name, scan in restored.items():
        if not scan.grid.same_place(thin.grid):
            raise ValueError(f"{name} is not on the grid of the thin scan; it cannot be subtracted")
    scans = {"thin": thin, "thick": thick, **restored}
    extents = [_extent(thin.grid, view) for view in VIEWS]
    heights = [abs((top - low) / (right - left)) for left, right, low, top in extents for _ in "ab"]
    width, height = 0.7 + INCHES * len(scans), 0.6 + 1.08 * INCHES * sum(heights)
    with style.figure(width, height) as drawn:
        grid = drawn.subplots(len(heights), len(scans), squeeze=False, height_ratios=heights)
        for k, view in enumerate(VIEWS):
            rows = grid[2 * k], grid[2 * k + 1]
            errors = _row(*rows, scans, view, _cut(thin.grid, at), error_hu)
            rows[0][0].set_ylabel(f"{view.plane}\n{view.window} window", fontsize=8.5)
        for axes, name in zip(grid[0], scans):
            axes.set_title(name, loc="center")
        if errors is not None:
            beside = grid[1, 0].inset_axes((0.05, 0.5, 0.9, 0.08))  # under thin there is no error
            drawn.colorbar(errors, cax=beside, orientation="horizontal", label=BAR)
        words = f"{case}: " if case else ""
        words += f"thick slices every {thick.grid.increment_mm:g} mm, planes to scale"
        style.title(drawn, words, bool(sim))
        return style.save(drawn, out_stem)


def _row(
    shown: Sequence[Axes],
    below: Sequence[Axes],
    scans: Mapping[str, Scan],
    view: View,
    cut_mm: tuple[float, float, float],
    error_hu: float,
):
    """One view of every scan, error maps below; returns the last error map, for its colours."""
    truth, extent = _plane(scans["thin"], view, cut_mm), _extent(scans["thin"].grid, view)
    errors = None
    for above, under, (name, scan) in zip(shown, below, scans.items()):
        image = _plane(scan, view, cut_mm)
        _show(above, image, _extent(scan.grid, view), (view.low_hu, view.high_hu), "gray")
        if name in ("thin", "thick"):
            under.set_axis_off()
        else:
            errors = _show(under, image - truth, extent, (-error_hu, error_hu), "RdBu_r")
        for axes in (above, under):
            axes.set_xlim(extent[:2])
            axes.set_ylim(extent[2:])
    return errors


def _cut(grid: Grid, at: Sequence[float]) -> tuple[float, float, float]:
    """Where the three planes lie, mm along z, y and x of the grid's own frame."""
    z = grid.start_mm + at[0] * (grid.n - 1) * grid.increment_mm
    y, x = (f * (n - 1) * p for f, n, p in zip(at[1:], grid.shape, grid.pixel_mm))
    return z, y, x


def _plane(scan: Scan, view: View, cut_mm: tuple[float, float, float]) -> np.ndarray:
    """The slice of the scan nearest to the cut, rows downwards in the array's own order."""
    grid, axis = scan.grid, NORMAL[view.plane]
    starts, steps = (grid.start_mm, 0.0, 0.0), (grid.increment_mm, *grid.pixel_mm)
    index = round((cut_mm[axis] - starts[axis]) / steps[axis])
    index = min(max(index, 0), grid.zyx[axis] - 1)
    block = [slice(None)] * 3
    block[axis] = slice(index, index + 1)
    return np.asarray(scan.read(*block)).squeeze(axis)


def _extent(grid: Grid, view: View) -> tuple[float, float, float, float]:
    """Outer edges of the first and last voxels in mm: left, right, bottom, top."""
    z = _edges(grid.start_mm, grid.n, grid.increment_mm)
    y = _edges(0.0, grid.shape[0], grid.pixel_mm[0])
    x = _edges(0.0, grid.shape[1], grid.pixel_mm[1])
    if view.plane == "axial":
        return (*x, y[1], y[0])  # y grows to the back, which is down
    return (*(x if view.plane == "coronal" else y), *z)


def _edges(start: float, n: int, step: float) -> tuple[float, float]:
    return start - step / 2, start + (n - 0.5) * step


def _show(
    axes: Axes,
    image: np.ndarray,
    extent: tuple[float, float, float, float],
    limits: tuple[float, float],
    colours: str,
):
    """Draw an image in mm; its first row lies at the extent's low edge in z, at its top in y."""
    origin = "upper" if extent[2] > extent[3] else "lower"
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)
    return axes.imshow(
        image,
        cmap=colours,
        vmin=limits[0],
        vmax=limits[1],
        extent=extent,
        origin=origin,
        interpolation="nearest",
        aspect="equal",
    )
