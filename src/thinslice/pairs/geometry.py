"""Whether two grids are of one acquisition and field of view, the thick one in the thin frame."""

import numpy as np

from thinslice.operators.grids import in_frame_of
from thinslice.pairs.certificate import Reason
from thinslice.volume import Grid

SAME_PITCH = 1e-4  # of a pixel's size
SAME_PIXELS = 0.01  # of a pixel: positions of corners
SAME_AXES = 1e-3  # cosine between axes, 0.06 degrees
THICKER = 1.5  # times the thin slices
MEETING = 1.05  # increment over thickness: more is a gap
WIDE = 1.4  # taps reach so many thicknesses of a thick slice to either side: bells have tails
SLACK = 0.01  # of a thin slice: rounded increments reach as far
FEWEST = 3  # thick slices to measure with


def reasons(thin: Grid, thick: Grid) -> list[Reason]:
    """Those by which the grids speak against the pair."""
    found = [*_fields(thin, thick)]
    if not thick.thickness_mm >= THICKER * thin.thickness_mm:
        text = f"{thick.thickness_mm:g} mm slices beside {thin.thickness_mm:g} mm ones"
        found.append(Reason("thickness", f"{text}; expected {THICKER:g} times as thick"))
    for which, grid in (("thin", thin), ("thick", thick)):
        if grid.increment_mm > MEETING * grid.thickness_mm:
            text = f"{which} slices of {grid.thickness_mm:g} mm every {grid.increment_mm:g} mm"
            found.append(Reason("gap", text))
    if not any(reason.code in ("orientation", "field_of_view") for reason in found):
        found += _ranges(thin, in_frame_of(thin, thick))
    return found


def half_width_mm(thin: Grid, thick: Grid) -> float:
    """How far from a thick slice's centre thin slices may count: a whole number of them."""
    taps = max(2, int(WIDE * thick.thickness_mm / thin.increment_mm + SLACK))
    return taps * thin.increment_mm * (1 + 1e-6)


def usable(thin: Grid, thick: Grid) -> np.ndarray:
    """Indices of the thick slices that have all their taps on the thin scan; one frame."""
    reach = int(half_width_mm(thin, thick) / thin.increment_mm)
    at = (thick.centres_mm() - thin.start_mm) / thin.increment_mm
    return np.flatnonzero((at - reach > -1e-6) & (at + reach < thin.n - 1 + 1e-6))


def _fields(thin: Grid, thick: Grid) -> list[Reason]:
    cosines = np.abs(np.array(thin.direction) @ np.array(thick.direction).T - np.eye(3)).max()
    if cosines > SAME_AXES:
        turn = np.degrees(np.arccos(np.clip(np.diag(
            np.array(thin.direction) @ np.array(thick.direction).T), -1, 1))).max()  # fmt: skip
        return [Reason("orientation", f"planes turned by {turn:.3g} degrees against each other")]
    pitch = np.abs(np.array(thick.pixel_mm) / np.array(thin.pixel_mm) - 1).max()
    if thin.shape != thick.shape or pitch > SAME_PITCH:
        text = f"{_pixels(thin)} (thin) and {_pixels(thick)} (thick)"
        return [Reason("field_of_view", text)]
    placed = in_frame_of(thin, thick)
    ends = np.array([[k, j, i, 1.0] for k in (0, 1) for j in (0, 1) for i in (0, 1)])
    ends[:, :3] *= np.array(thick.zyx) - 1
    off_mm = np.linalg.norm((ends @ (thick.affine() - placed.affine()).T)[:, :3], axis=1).max()
    if off_mm > SAME_PIXELS * min(thin.pixel_mm):
        return [Reason("field_of_view", f"pixels {off_mm:.3g} mm beside those of the thin slices")]
    return []


def _pixels(grid: Grid) -> str:
    (rows, columns), (y, x) = grid.shape, grid.pixel_mm
    return (
        f"{rows} x {columns} pixels of {y:.5g} x {x:.5g} mm, {rows * y:.4g} x {columns * x:.4g} mm"
    )


def _ranges(thin: Grid, thick: Grid) -> list[Reason]:
    z, (low, high) = thick.centres_mm(), thin.centres_mm()[[0, -1]]
    inside = int(((z >= low - 1e-6) & (z <= high + 1e-6)).sum())
    n = len(usable(thin, thick))
    text = (
        f"{inside} of {thick.n} thick slices ({z[0] - low:.4g} to {z[-1] - low:.4g} mm) lie on the "
        f"thin scan (0 to {high - low:.4g} mm)"
    )
    if n < FEWEST:
        reach = f"{n} have thin slices out to {half_width_mm(thin, thick):.3g} mm on both sides"
        return [Reason("table_range", f"{text}, {reach}; expected {FEWEST}")]
    return [Reason("table_range_partly", text)] if inside < thick.n / 2 else []
