"""Panels: one case by every method in three planes, each in the window that fits it.

TVSRN (Yu et al., MICCAI 2022), Fig. 4, with error maps below every row: restored minus thin in HU.
How planes are cut and turned: ``planes``.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.axes import Axes

from thinslice.interfaces import Scan
from thinslice.report import style
from thinslice.report.pictures._planes import (
    View,
    cut,
    extent,
    fitting,
    limit,
    limits,
    plane,
    show,
    thick_words,
    window_words,
)
from thinslice.volume import Grid

CAPTION = "Panels: one case by every method in three planes, each in the window that fits it."
PLANES = ("axial", "coronal", "sagittal")
ERROR_HU = 300.0  # error maps saturate here, both ways; in MR at a fifth of the shades shown
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
    each = 2 if thin else 1  # rows a view takes: images, and their errors where there is a truth
    views = [fitting(name, frame, thick, cut(frame, at)) for name in PLANES]
    extents = [extent(frame, frame, view) for view in views]
    shares = [abs((top - low) / (right - left)) for left, right, low, top in extents]
    heights = [share for share in shares for _ in range(each)]
    width, height = 0.7 + INCHES * len(scans), 0.6 + 1.08 * INCHES * sum(heights)
    with style.figure(width, height) as drawn:
        grid = drawn.subplots(len(heights), len(scans), squeeze=False, height_ratios=heights)
        errors = None
        for k, view in enumerate(views):
            images = grid[each * k]
            _images(images, scans, frame, view, cut(frame, at))
            images[0].set_ylabel(f"{view.plane}\n{window_words(view, thick)}", fontsize=8.5)
            if thin:
                errors = _errors(grid[2 * k + 1], scans, thin, view, cut(frame, at), error_hu)
        for axes, name in zip(grid[0], scans):
            axes.set_title(style.broken(name), loc="center")
        if thin and errors is not None:
            bar = f"restored - thin{' (HU)' if thin.modality == 'CT' else ''}"
            beside = grid[1, 0].inset_axes((0.05, 0.5, 0.9, 0.08))  # under thin there is no error
            drawn.colorbar(errors, cax=beside, orientation="horizontal", label=bar)
        words = f"{case}: " if case else ""
        words += f"{thick_words(thick.grid, frame)}, planes to scale"
        style.title(drawn, words, bool(sim))
        return style.save(drawn, out_stem)


def _images(
    row: Sequence[Axes],
    scans: Mapping[str, Scan],
    frame: Grid,
    view: View,
    cut_mm: Sequence[float],
) -> None:
    """One view of every scan."""
    span = limits(view, frame, scans["thick"], cut_mm)
    for axes, scan in zip(row, scans.values()):
        image = plane(scan, frame, view, cut_mm)
        show(axes, image, extent(scan.grid, frame, view), span, "gray")
        limit(axes, extent(frame, frame, view))


def _errors(
    row: Sequence[Axes],
    scans: Mapping[str, Scan],
    thin: Scan,
    view: View,
    cut_mm: Sequence[float],
    error_hu: float,
):
    """Restored minus thin below every image; returns the last map, for its colours."""
    low, high = limits(view, thin.grid, scans["thick"], cut_mm)
    most = error_hu if thin.modality == "CT" else (high - low) / 5
    truth, edges = plane(thin, thin.grid, view, cut_mm), extent(thin.grid, thin.grid, view)
    errors = None
    for axes, (name, scan) in zip(row, scans.items()):
        if name in ("thin", "thick"):
            axes.set_axis_off()
        else:
            difference = plane(scan, thin.grid, view, cut_mm) - truth
            errors = show(axes, difference, edges, (-most, most), "RdBu_r")
        limit(axes, edges)
    return errors
