"""Draw how thick slices were acquired: thickness, increment, phase and slice profile.

Fine rows of a plane become thick rows through a drawn profile, from box to bell, and are then
interpolated (cubic B-spline) to the rows that a network corrects: two small matrices. Nothing else
of the plane is touched, so that they serve any number of columns.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.ndimage import spline_filter1d

from thinslice.operators import interpolation
from thinslice.operators.profiles import Profile, scanner_profile
from thinslice.operators.projection import profile_matrix
from thinslice.volume import Grid

THICKNESS_MM = (1.5, 10.0)
INCREMENT = (0.4, 1.2)  # share of the thickness
CONTIGUOUS = 0.35  # share of draws whose increment is the thickness
WIDTH = (0.95, 1.1)  # FWHM of the profile / thickness
RAMP = (0.0, 0.94)  # of the thickness: flanks of the trapezoid that a bell is mixed with
FINEST = 0.25  # of the squared thickness: what the fine rows' own profile leaves at least
OFF_GRID_MM = 0.75  # finer rows than this can also be averaged to slices of 1 mm anywhere
FEWEST = 3  # thick slices that are worth a crop


class Slices(NamedTuple):
    """Thick slices of fine rows, and the rows that are learned."""

    thick: np.ndarray  # [n_thick, n_fine]
    interpolated: np.ndarray  # [n, n_thick]
    thin: np.ndarray  # [n, n_fine], the rows a network should answer
    distance: np.ndarray  # [n], to the nearest thick slice, in increments
    covered: np.ndarray  # [n], whether a row lies in a thick slice's cell
    thickness_mm: float
    increment_mm: float
    thin_thickness_mm: float
    thin_increment_mm: float
    bell: float


class FineRows(NamedTuple):
    """Rows of a plane that are fine along z: how many, how far apart, and how thick."""

    n: int
    increment_mm: float
    thickness_mm: float


Draw = Callable[[FineRows, int, np.random.Generator], Slices | None]


def of(thickness_mm: float, increment_mm: float) -> Draw:
    """A draw whose slices are always this thick and this far apart."""

    def same(rows: FineRows, side: int, rng: np.random.Generator) -> Slices | None:
        return of_kind(rows, side, thickness_mm, increment_mm, rng)

    return same


def draw(rows: FineRows, side: int, rng: np.random.Generator) -> Slices | None:
    """Slices whose thin rows are at most ``side``; None where the rows are too few for the draw."""
    low, high = np.log(THICKNESS_MM)
    thickness_mm = float(np.exp(rng.uniform(low, high)))
    finest_mm = max(1.2 * rows.thickness_mm, 1.3 * rows.increment_mm)
    thickness_mm = max(thickness_mm, finest_mm)
    share = 1.0 if rng.random() < CONTIGUOUS else float(rng.uniform(*INCREMENT))
    increment_mm = max(share * thickness_mm, rows.increment_mm)
    return of_kind(rows, side, thickness_mm, increment_mm, rng)


def of_kind(
    rows: FineRows, side: int, thickness_mm: float, increment_mm: float, rng: np.random.Generator
) -> Slices | None:
    """Slices of this thickness and increment, at a drawn phase, through a drawn profile."""
    bell = float(rng.uniform())
    widened_mm = _left_of(thickness_mm, rows.thickness_mm)
    ramp_mm = float(rng.uniform(*RAMP)) * widened_mm
    profile = scanner_profile(widened_mm, float(rng.uniform(*WIDTH)), bell, ramp_mm)
    fine = _grid(rows.n, rows.increment_mm, rows.thickness_mm)
    thick = _thick_grid(rows, thickness_mm, increment_mm, rng)
    if thick is None:
        return None
    thin, weights = _thin(rows, fine, side, rng)
    return _slices(profile, fine, thick, thin, weights, bell)


def _slices(
    profile: Profile, fine: Grid, thick: Grid, thin: Grid, weights: np.ndarray, bell: float
) -> Slices:
    at_mm, centres_mm = thin.centres_mm(), thick.centres_mm()
    half_mm = thick.increment_mm / 2
    return Slices(
        thick=profile_matrix(profile, fine, thick).toarray().astype(np.float32),
        interpolated=cubic(centres_mm, at_mm),
        thin=weights,
        distance=distances(centres_mm, at_mm, thick.increment_mm),
        covered=(at_mm >= centres_mm[0] - half_mm) & (at_mm <= centres_mm[-1] + half_mm),
        thickness_mm=thick.thickness_mm,
        increment_mm=thick.increment_mm,
        thin_thickness_mm=thin.thickness_mm,
        thin_increment_mm=thin.increment_mm,
        bell=bell,
    )


def distances(thick_mm: np.ndarray, at_mm: np.ndarray, increment_mm: float) -> np.ndarray:
    """Distance of every position to the nearest thick slice, in increments, float32."""
    return (np.abs(at_mm[:, None] - thick_mm).min(1) / increment_mm).astype(np.float32)


def _thin(
    rows: FineRows, fine: Grid, side: int, rng: np.random.Generator
) -> tuple[Grid, np.ndarray]:
    """The rows to answer: fine rows as they are, or slices of 1 mm at a drawn phase."""
    length_mm = (rows.n - 1) * rows.increment_mm
    if rows.increment_mm < OFF_GRID_MM and rows.thickness_mm < 1 and rng.random() < 0.5:
        n = min(side, int(length_mm) + 1)
        start_mm = float(rng.uniform(0, length_mm - (n - 1)))
        thin = _grid(n, 1.0, 1.0, start_mm)
        profile = scanner_profile(_left_of(1.0, rows.thickness_mm), bell_fraction=0.5)
        return thin, profile_matrix(profile, fine, thin).toarray().astype(np.float32)
    n = min(side, rows.n)
    first = int(rng.integers(rows.n - n + 1))
    thin = _grid(n, rows.increment_mm, rows.thickness_mm, first * rows.increment_mm)
    return thin, np.eye(n, rows.n, first, dtype=np.float32)


def _thick_grid(
    rows: FineRows, thickness_mm: float, increment_mm: float, rng: np.random.Generator
) -> Grid | None:
    """As many thick slices as lie on the rows, at a drawn phase."""
    low = thickness_mm / 2 - rows.increment_mm / 2
    high = (rows.n - 0.5) * rows.increment_mm - thickness_mm / 2
    start_mm = low + float(rng.uniform(0, min(increment_mm, max(high - low, 0.0))))
    n = int((high - start_mm) / increment_mm + 1e-9) + 1
    if high <= low or n < FEWEST:
        return None
    return _grid(n, increment_mm, thickness_mm, start_mm)


def _left_of(thickness_mm: float, fine_mm: float) -> float:
    """The width that makes slices of ``thickness_mm`` of slices that are ``fine_mm`` thick."""
    squared = thickness_mm**2
    return float(np.sqrt(max(squared - fine_mm**2, FINEST * squared)))


def cubic(thick_mm: np.ndarray, at_mm: np.ndarray) -> np.ndarray:
    """Cubic B-spline interpolation as one dense matrix [n, n_thick]."""
    filtered = spline_filter1d(np.eye(len(thick_mm)), 3, axis=0, mode="mirror")
    return (interpolation.weights(thick_mm, at_mm, "cubic") @ filtered).astype(np.float32)


def _grid(n: int, increment_mm: float, thickness_mm: float, start_mm: float = 0.0) -> Grid:
    return Grid(n, increment_mm, thickness_mm, (1, 1), (1.0, 1.0), start_mm)
