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

    thin        None where nobody scanned thin slices: then no error can be shown
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
    each = 2 if thin else 1  # rows a view takes: images, and their errors where there is a truth
    extents = [_extent(frame, frame, view) for view in VIEWS]
    shares = [abs((top - low) / (right - left)) for left, right, low, top in extents]
    heights = [share for share in shares for _ in range(each)]
    width, height = 0.7 + INCHES * len(scans), 0.6 + 1.08 * INCHES * sum(heights)
    with style.figure(width, height) as drawn:
        grid = drawn.subplots(len(heights), len(scans), squeeze=False, height_ratios=heights)
        for k, view in enumerate(VIEWS):
            images = grid[each * k]
            _images(images, scans, frame, view, _cut(frame, at))
            images[0].set_ylabel(f"{view.plane}\n{view.window} window", fontsize=8.5)
            if thin:
                errors = _errors(grid[2 * k + 1], scans, thin, view, _cut(frame, at), error_hu)
        for axes, name in zip(grid[0], scans):
            axes.set_title(name, loc="center")
        if thin:
            beside = grid[1, 0].inset_axes((0.05, 0.5, 0.9, 0.08))  # under thin there is no error
            drawn.colorbar(errors, cax=beside, orientation="horizontal", label=BAR)
        words = f"{case}: " if case else ""
        words += f"thick slices every {thick.grid.increment_mm:g} mm, planes to scale"
        style.title(drawn, words, bool(sim))
        return style.save(drawn, out_stem)


def _images(
    row: Sequence[Axes],
    scans: Mapping[str, Scan],
    frame: Grid,
    view: View,
    cut_mm: tuple[float, float, float],
) -> None:
    """One view of every scan."""
    for axes, scan in zip(row, scans.values()):
        image, limits = _plane(scan, frame, view, cut_mm), (view.low_hu, view.high_hu)
        _show(axes, image, _extent(scan.grid, frame, view), limits, "gray")
        _limit(axes, _extent(frame, frame, view))


def _errors(
    row: Sequence[Axes],
    scans: Mapping[str, Scan],
    thin: Scan,
    view: View,
    cut_mm: tuple[float, float, float],
    error_hu: float,
):
    """Restored minus thin below every image; returns the last map, for its colours."""
    truth, extent = _plane(thin, thin.grid, view, cut_mm), _extent(thin.grid, thin.grid, view)
    errors = None
    for axes, (name, scan) in zip(row, scans.items()):
        if name in ("thin", "thick"):
            axes.set_axis_off()
        else:
            difference = _plane(scan, thin.grid, view, cut_mm) - truth
            errors = _show(axes, difference, extent, (-error_hu, error_hu), "RdBu_r")
        _limit(axes, extent)
    return errors


def _limit(axes: Axes, extent: tuple[float, float, float, float]) -> None:
    axes.set_xlim(extent[:2])
    axes.set_ylim(extent[2:])


def _cut(grid: Grid, at: Sequence[float]) -> tuple[float, float, float]:
    """Where the three planes lie, mm along z, y and x of the grid's own frame."""
    z = grid.start_mm + at[0] * (grid.n - 1) * grid.increment_mm
    y, x = (f * (n - 1) * p for f, n, p in zip(at[1:], grid.shape, grid.pixel_mm))
    return z, y, x


def _plane(scan: Scan, frame: Grid, view: View, cut_mm: tuple[float, float, float]) -> np.ndarray:
    """The slice of the scan nearest to the cut, rows downwards in the array's own order."""
    grid, axis = scan.grid, NORMAL[view.plane]
    steps = (grid.increment_mm, *grid.pixel_mm)
    index = round((cut_mm[axis] - _first_mm(grid, frame)[axis]) / steps[axis])
    index = min(max(index, 0), grid.zyx[axis] - 1)
    block = [slice(None)] * 3
    block[axis] = slice(index, index + 1)
    return np.asarray(scan.read(*block)).squeeze(axis)


def _first_mm(grid: Grid, frame: Grid) -> tuple[float, float, float]:
    """The first voxel's centre, mm along z, y and x of ``frame``; coarser pixels start later."""
    aside = np.array(frame.direction) @ np.subtract(grid.origin_mm, frame.origin_mm)
    z, y, x = (float(mm) for mm in aside)
    return grid.start_mm + z, y, x


def _extent(grid: Grid, frame: Grid, view: View) -> tuple[float, float, float, float]:
    """Outer edges of the first and last voxels in mm: left, right, bottom, top."""
    first = _first_mm(grid, frame)
    z = _edges(first[0], grid.n, grid.increment_mm)
    y = _edges(first[1], grid.shape[0], grid.pixel_mm[0])
    x = _edges(first[2], grid.shape[1], grid.pixel_mm[1])
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
