"""Grids derived from grids: thin, thick and native slices."""

from dataclasses import replace
from math import ceil, floor

import numpy as np

from thinslice.errors import Refused, UnusableCaseError
from thinslice.volume import SAME_PLACE_MM, Grid

SAME = 1e-6  # relative tolerance of a length


def thin_grid(thick: Grid, thickness_mm: float, increment_mm: float) -> Grid:
    """Grid of thin slices over the extent of a thick scan, with its pixels and patient frame.

    As many as lie on the scan to their full thickness, centred on it: less than one increment of
    the scan is left uncovered, half of it at either end.
    Raises ValueError for lengths that are not positive, for slices thicker or farther apart than
    the scan's own, and for slices that leave gaps.
    """
    if min(thickness_mm, increment_mm) <= 0:
        raise Refused(f"lengths must be positive, found {thickness_mm:g}, {increment_mm:g} mm")
    if increment_mm > thickness_mm * (1 + SAME):
        raise Refused(
            f"slices of {thickness_mm:g} mm every {increment_mm:g} mm leave gaps: ask for an "
            "increment of at most the thickness"
        )
    for what, wanted_mm, scan_mm in (
        ("thick", thickness_mm, thick.thickness_mm),
        ("apart", increment_mm, thick.increment_mm),
    ):
        if wanted_mm > scan_mm * (1 + SAME):
            raise Refused(
                f"slices {wanted_mm:g} mm {what} were asked for, the scan's are {scan_mm:g} mm "
                f"{what}: the scan is already that thin"
            )
    length_mm = (thick.n - 1) * thick.increment_mm + thick.thickness_mm
    n = 1 + floor((length_mm - thickness_mm) / increment_mm + SAME)
    middle_mm = thick.start_mm + (thick.n - 1) * thick.increment_mm / 2
    return thick.with_slices(
        n=n,
        increment_mm=increment_mm,
        thickness_mm=thickness_mm,
        start_mm=middle_mm - (n - 1) * increment_mm / 2,
    )


def thick_slices(
    thin: Grid, thickness_mm: float, increment_mm: float, phase_mm: float | None = None
) -> Grid:
    """Grid of the thick slices that fit on a thin scan, in its patient frame.

    ``phase_mm`` is the first thick centre after the first thin one. Left out, the first thick slice
    begins where the scan does (thickness 5 on slices of 1 mm: phase 2), and every thick slice lies
    on the scan to its full thickness. At a smaller phase the first slice extends beyond the scan,
    and the last as far: phase 0 keeps the thick centres within the thin ones.
    Raises ValueError for a negative phase and where no thick slice fits.
    """
    snug_mm = max((thickness_mm - thin.increment_mm) / 2, 0.0)
    phase_mm = snug_mm if phase_mm is None else phase_mm
    if phase_mm < 0:
        raise Refused(f"phase_mm counts from the first thin centre, found {phase_mm}")
    room_mm = (thin.n - 1) * thin.increment_mm - phase_mm - min(phase_mm, snug_mm)
    if room_mm < -1e-6 * thin.increment_mm:
        raise UnusableCaseError(
            f"no slice of {thickness_mm:g} mm fits at {phase_mm:g} mm on a scan of "
            f"{thin.n} slices every {thin.increment_mm:g} mm"
        )
    return thin.with_slices(
        n=1 + int(room_mm / increment_mm + 1e-6),
        increment_mm=increment_mm,
        thickness_mm=thickness_mm,
        start_mm=thin.start_mm + phase_mm,
    )


def part(grid: Grid, first: tuple[int, int, int], zyx: tuple[int, int, int]) -> Grid:
    """The grid of a block of voxels: ``zyx`` of them, from the one at index ``first``."""
    _, y_axis, x_axis = np.array(grid.direction, float)
    origin_mm = np.array(grid.origin_mm) + y_axis * first[1] * grid.pixel_mm[0]
    origin_mm += x_axis * first[2] * grid.pixel_mm[1]
    return replace(
        grid,
        n=zyx[0],
        shape=zyx[1:],
        start_mm=grid.start_mm + first[0] * grid.increment_mm,
        origin_mm=(float(origin_mm[0]), float(origin_mm[1]), float(origin_mm[2])),
    )


def native_grid(thick: Grid, factor: int, ends: int = 0, thickness_mm: float | None = None) -> Grid:
    """Grid of a network's slices, ``factor`` per thick increment and ``ends`` increments beyond.

    ``thickness_mm`` defaults to the increment.
    """
    increment_mm = thick.increment_mm / factor
    return thick.with_slices(
        n=(thick.n - 1 + 2 * ends) * factor + 1,
        increment_mm=increment_mm,
        thickness_mm=increment_mm if thickness_mm is None else thickness_mm,
        start_mm=thick.start_mm - ends * thick.increment_mm,
    )


def factor_of(thick: Grid, thin: Grid) -> int:
    """Thick increment over thin increment, to the nearest whole number."""
    return max(1, floor(thick.increment_mm / thin.increment_mm + 0.5))


def offsets_mm(thick: Grid, thin: Grid) -> np.ndarray:
    """Distances [K] from a thick slice to the K thin slices from it on, before the next thick one.

    K is ``factor_of`` the two, whose positions must be in one frame. Where the increments' ratio is
    no whole number they are spread evenly, in phase with the first thin slice.
    """
    factor = factor_of(thick, thin)
    step_mm = thick.increment_mm / factor
    phase_mm = (thin.start_mm - thick.start_mm) % step_mm
    if step_mm - phase_mm <= SAME_PLACE_MM:
        phase_mm = 0.0
    return phase_mm + step_mm * np.arange(factor)


def ends_for(thick: Grid, target: Grid, tolerance_mm: float = 1e-3) -> int:
    """Number of thick increments by which ``target`` extends beyond the outermost thick centres."""
    offset_mm = np.array(thick.direction[0]) @ np.subtract(target.origin_mm, thick.origin_mm)
    from_mm, to_mm = thick.centres_mm(), target.centres_mm() + offset_mm
    beyond_mm = max(from_mm[0] - to_mm[0], to_mm[-1] - from_mm[-1]) - tolerance_mm
    return max(0, ceil(beyond_mm / thick.increment_mm))


def in_frame_of(thin: Grid, thick: Grid) -> Grid:
    """The thick grid with the thin one's origin and axes; its slices stay where they are."""
    first = np.array(thick.affine()[:3, 3]) - np.array(thin.origin_mm)
    return thin.with_slices(
        n=thick.n,
        increment_mm=thick.increment_mm,
        thickness_mm=thick.thickness_mm,
        start_mm=float(first @ np.array(thin.direction[0])),
    )
