"""Overlapping slices as in SR4ZCT: their number and places on an extent, and their weights.

A scan's extent goes from half a thickness before its first centre to half a thickness after its
last. Slices of thickness R that share an overlap O are R - O apart. The value of one is the mean of
points inside it, linear between the finer slices' centres.
Works on any line of samples: the slices of a scan, or the rows of an axial image.
Source: Shi et al. 2023, section 2 and figure 2, which say "various points": their code takes nine.
"""

from dataclasses import replace

import numpy as np
from scipy.sparse import csr_array

from thinslice.errors import Refused
from thinslice.operators import projection
from thinslice.volume import Grid

NINTHS = np.arange(-4, 5) / 9
MIDDLE = np.zeros(1)


def line(n: int, pixel_mm: float) -> Grid:
    """One axis of an axial image as a grid: ``n`` adjacent pixels."""
    return Grid(n, pixel_mm, pixel_mm, (1, 1), (pixel_mm, pixel_mm))


def exact(scan: Grid, thickness_mm: float, overlap_mm: float) -> Grid:
    """Grid of the whole slices that fit, from the beginning of the extent, exactly R - O apart.

    ValueError where the overlap is not below the thickness, and where no slice fits.
    """
    room_mm, increment_mm = _room(scan, thickness_mm, overlap_mm)
    n = 1 + int(max(room_mm, 0.0) / increment_mm + 1e-6)
    return _from_the_beginning(scan, n, increment_mm, thickness_mm)


def anchored(scan: Grid, thickness_mm: float, overlap_mm: float) -> Grid:
    """Grid of as many slices, spread evenly from end to end, so not quite R - O apart.

    ValueError as in ``exact``. Source: the released code.
    """
    room_mm, increment_mm = _room(scan, thickness_mm, overlap_mm)
    n = 1 + int(max(room_mm, 0.0) / increment_mm)
    spread_mm = room_mm / (n - 1) if n > 1 else increment_mm
    return _from_the_beginning(scan, n, spread_mm, thickness_mm)


def means_of_points(fine: Grid, coarse: Grid, spread: np.ndarray = NINTHS) -> csr_array:
    """Weights [n_coarse, n_fine]; ``spread`` are the points, in thicknesses from the centre.

    Points before the first or after the last centre are extrapolated.
    """
    points_mm = coarse.centres_mm()[:, None] + coarse.thickness_mm * spread
    return projection.point_matrix(points_mm, fine)


def _room(scan: Grid, thickness_mm: float, overlap_mm: float) -> tuple[float, float]:
    """Length of the extent less one slice, and the increment."""
    if not overlap_mm < thickness_mm:
        raise Refused(f"overlap {overlap_mm} must be below {thickness_mm} mm")
    length_mm = scan.thickness_mm + (scan.n - 1) * scan.increment_mm
    if length_mm - thickness_mm < -1e-6:
        raise Refused(f"{thickness_mm:g} mm slices on an extent of {length_mm:g} mm")
    return length_mm - thickness_mm, thickness_mm - overlap_mm


def _from_the_beginning(scan: Grid, n: int, increment_mm: float, thickness_mm: float) -> Grid:
    start_mm = scan.start_mm + (thickness_mm - scan.thickness_mm) / 2
    return replace(
        scan, n=n, increment_mm=increment_mm, thickness_mm=thickness_mm, start_mm=start_mm
    )
