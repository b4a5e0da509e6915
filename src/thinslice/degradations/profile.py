"""Thick slices seen through a slice sensitivity profile, of any thickness, increment and phase.

``shape`` names the profile:

box             the plain mean over ``thickness_mm``, the pseudo-thick scan most papers train on;
                thin slices count by the share of them that the box covers
gaussian        a bell of FWHM ``thickness_mm``: close to what z-filtering leaves of a multi-row
                scanner's slice when it is much wider than a detector row. Written from the
                definition of FWHM; released simulators differ (one uses sigma = T / sqrt(2.2 ln 2),
                which is 1.9 times wider)
trapezoid_bell  a multi-row scanner's, ``h = (1 - b) trapezoid + b Gaussian``, both of FWHM =
                ``thickness_mm`` times a width factor. Scanners deliver factors of about 1.0 to 1.4
                of the thickness in the header (Fuchs 2000), and bells once slices are wider than a
                detector row (Kachelriess & Kalender 2005)
measured        weights ("taps") from ``profile_fit.fit_taps`` on a pair of one acquisition, or from
                a bead or foil phantom; scaled to sum to one, centred on their centre of mass
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from inspect import signature
from typing import Literal

import numpy as np
from scipy.sparse import csr_array

from thinslice.operators import grids, profiles, projection
from thinslice.operators.profile_fit import ProfileFit
from thinslice.operators.profiles import Profile
from thinslice.volume import Grid

Shape = Literal["box", "gaussian", "trapezoid_bell", "measured"]


@dataclass(frozen=True)
class ProfileDegradation:
    """One profile, every ``increment_mm``."""

    profile: Profile
    thickness_mm: float  # stated in the thick grid: the profile's FWHM
    increment_mm: float
    phase_mm: float | None = None  # None: the first thick slice begins where the scan does

    def thick_grid(self, thin: Grid) -> Grid:
        """Thick slices whose FWHM is on the scan, see ``grids.thick_slices``."""
        return grids.thick_slices(thin, self.thickness_mm, self.increment_mm, self.phase_mm)

    def matrix(self, thin: Grid, thick: Grid) -> csr_array:
        """[n_thick, n_thin]; a tail beyond the scan's end is left out and the rest scaled up."""
        return projection.profile_matrix(self.profile, thin, thick)


def _box(*, thickness_mm: float) -> tuple[Profile, float]:
    return profiles.box(thickness_mm), thickness_mm


def _gaussian(*, thickness_mm: float) -> tuple[Profile, float]:
    return profiles.gaussian(thickness_mm), thickness_mm


def _trapezoid_bell(
    *,
    thickness_mm: float,
    width_factor: float = 1.0,
    bell_fraction: float = 0.0,
    ramp_mm: float | None = None,
) -> tuple[Profile, float]:
    profile = profiles.scanner_profile(thickness_mm, width_factor, bell_fraction, ramp_mm)
    return profile, profile.fwhm_mm


def _measured(*, taps: Sequence[float], spacing_mm: float) -> tuple[Profile, float]:
    fit = ProfileFit(np.asarray(taps, float), spacing_mm)
    return fit.profile(), fit.fwhm_mm


SHAPES: Mapping[str, Callable[..., tuple[Profile, float]]] = {
    "box": _box,
    "gaussian": _gaussian,
    "trapezoid_bell": _trapezoid_bell,
    "measured": _measured,
}


def _check(shape: Shape, settings: Mapping[str, object]) -> None:
    """TypeError for a setting that is missing or belongs to another shape."""
    parameters = signature(SHAPES[shape]).parameters.values()
    foreign = sorted(set(settings) - {each.name for each in parameters})
    missing = [each.name for each in parameters if each.default is each.empty]
    missing = [name for name in missing if name not in settings]
    if foreign or missing:
        takes = ", ".join(each.name for each in parameters)
        wrong = [f"without {name}" for name in missing] + [f"with {name}" for name in foreign]
        raise TypeError(f"shape {shape!r} takes {takes}; it was given {' and '.join(wrong)}")


def build(
    *,
    shape: Shape,
    increment_mm: float,
    phase_mm: float | None = None,
    thickness_mm: float | None = None,  # nominal, as in a header; all but measured
    width_factor: float | None = None,  # trapezoid_bell: FWHM / nominal; 1.0
    bell_fraction: float | None = None,  # trapezoid_bell: 0.0 trapezoid, 1.0 Gaussian; 0.0
    ramp_mm: float | None = None,  # trapezoid_bell: flank; 1.2, at most the FWHM
    taps: Sequence[float] | None = None,  # measured
    spacing_mm: float | None = None,  # measured: between taps
) -> ProfileDegradation:
    if shape not in SHAPES:
        raise ValueError(f"shape {shape!r} is none of {', '.join(SHAPES)}")
    given = {
        "thickness_mm": thickness_mm,
        "width_factor": width_factor,
        "bell_fraction": bell_fraction,
        "ramp_mm": ramp_mm,
        "taps": taps,
        "spacing_mm": spacing_mm,
    }
    settings = {name: value for name, value in given.items() if value is not None}
    _check(shape, settings)
    profile, fwhm_mm = SHAPES[shape](**settings)
    return ProfileDegradation(profile, fwhm_mm, increment_mm, phase_mm)
