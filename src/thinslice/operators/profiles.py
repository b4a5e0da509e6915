"""Slice sensitivity profiles: width, integral, spectrum, noise and mixtures.

A slice is the patient weighted along z by the slice sensitivity profile h(z), of area one, in 1/mm.
Its full width at half maximum is the slice's thickness, its cumulative integral gives exact weights
of finite slices, the integral of its square is the variance that remains of white noise, and its
spectrum is the through-plane MTF. Every profile here is a sum of Gaussians and piecewise linear
functions (jumps allowed), so all of these are closed forms; only products of two profiles are
integrated, piece by smooth piece, by Gauss-Legendre to machine precision.

Source: the trapezoid-to-bell family of Kachelriess & Kalender (2005), with its width as a factor of
the nominal thickness (Fuchs 2000). Differs from a scanner: no broadening away from the isocentre.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from thinslice.operators.curves import Gaussian, PiecewiseLinear

FWHM_PER_SIGMA = float(np.sqrt(8 * np.log(2)))
RAMP_MM = 1.2  # about one detector row at the isocentre
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(12)


@dataclass(frozen=True)
class Profile:
    """Slice sensitivity profile of area one around z = 0: a weighted sum of curves."""

    parts: tuple[tuple[float, Gaussian | PiecewiseLinear], ...]

    def __post_init__(self) -> None:
        if abs(sum(share for share, _ in self.parts) - 1) > 1e-9:
            raise ValueError(
                f"shares of a profile must sum to one, found {[s for s, _ in self.parts]}"
            )

    def density(self, z_mm: np.ndarray | float) -> np.ndarray:
        """h(z), 1/mm."""
        z = np.asarray(z_mm, float)
        return sum((share * part.density(z) for share, part in self.parts), np.zeros(z.shape))

    def cdf(self, z_mm: np.ndarray | float) -> np.ndarray:
        """Integral of h from -infinity to z, 0 to 1."""
        z = np.asarray(z_mm, float)
        return sum((share * part.cdf(z) for share, part in self.parts), np.zeros(z.shape))

    def mtf(self, f_per_mm: np.ndarray | float) -> np.ndarray:
        """Modulus of the spectrum at spatial frequencies f, 1/mm; one at zero."""
        f = np.asarray(f_per_mm, float)
        return np.abs(sum(share * part.spectrum(f) for share, part in self.parts))

    @property
    def support_mm(self) -> float:
        """Half width beyond which less than 1e-7 of the profile lies."""
        return float(max(np.abs(part.breaks_mm()).max() for _, part in self.parts))

    @property
    def fwhm_mm(self) -> float:
        """Full width at half maximum: the slice's thickness."""
        return self._width_mm(0.5)

    @property
    def fwtm_mm(self) -> float:
        """Full width at a tenth of the maximum."""
        return self._width_mm(0.1)

    @property
    def energy_per_mm(self) -> float:
        """Integral of h squared: variance left of white noise of unit density along z."""
        return self.overlap_per_mm(0.0)

    def overlap_per_mm(self, lag_mm: float) -> float:
        """Integral of h(z) h(z + lag): noise covariance of two slices that far apart."""
        breaks = np.concatenate([part.breaks_mm() for _, part in self.parts])
        edges = np.unique(np.concatenate([breaks, breaks - lag_mm]))
        half, middle = np.diff(edges)[:, None] / 2, (edges[1:, None] + edges[:-1, None]) / 2
        z = middle + half * _NODES
        return float((self.density(z) * self.density(z + lag_mm) * half * _WEIGHTS).sum())

    def correlation(self, lag_mm: float) -> float:
        """Noise correlation of two slices whose centres are ``lag_mm`` apart."""
        return self.overlap_per_mm(lag_mm) / self.energy_per_mm

    def _width_mm(self, level: float) -> float:
        reach = self.support_mm * 1.001
        z = np.unique(np.concatenate([np.linspace(-reach, reach, 4001), [0.0]]))
        h = self.density(z)
        threshold = level * h.max()
        above = np.flatnonzero(h >= threshold)
        ends = [(z[above[0]], z[above[0] - 1]), (z[above[-1]], z[above[-1] + 1])]
        left, right = (self._crossing_mm(float(a), float(b), threshold) for a, b in ends)
        return right - left

    def _crossing_mm(self, inside_mm: float, outside_mm: float, threshold: float) -> float:
        for _ in range(60):
            middle = (inside_mm + outside_mm) / 2
            if self.density(middle) >= threshold:
                inside_mm = middle
            else:
                outside_mm = middle
        return inside_mm


def trapezoid(fwhm_mm: float, ramp_mm: float) -> Profile:
    """Flat top, linear flanks of ``ramp_mm`` each; ramp 0 is a box, ramp = FWHM a triangle."""
    if not (fwhm_mm > 0 and 0 <= ramp_mm <= fwhm_mm):
        raise ValueError(f"a trapezoid needs 0 <= ramp <= FWHM, found {ramp_mm} and {fwhm_mm} mm")
    foot, top, height = (fwhm_mm + ramp_mm) / 2, (fwhm_mm - ramp_mm) / 2, 1 / fwhm_mm
    knots = ((-foot, 0.0), (-top, height), (top, height), (foot, 0.0))
    return Profile(((1.0, PiecewiseLinear(knots)),))


def box(width_mm: float) -> Profile:
    """Box profile: the plain average over ``width_mm``."""
    return trapezoid(width_mm, 0.0)


def triangle(fwhm_mm: float) -> Profile:
    """Triangle whose base is twice its FWHM."""
    return trapezoid(fwhm_mm, fwhm_mm)


def gaussian(fwhm_mm: float) -> Profile:
    """A Gaussian by its full width at half maximum."""
    if not fwhm_mm > 0:
        raise ValueError(f"a Gaussian needs a positive FWHM, found {fwhm_mm} mm")
    return Profile(((1.0, Gaussian(0.0, fwhm_mm / FWHM_PER_SIGMA)),))


def blend(first: Profile, second: Profile, fraction: float) -> Profile:
    """Mixture of (1 - fraction) of the first profile and ``fraction`` of the second."""
    if not 0 <= fraction <= 1:
        raise ValueError(f"a fraction lies in 0 to 1, found {fraction}")
    return mixture([first, second], [1 - fraction, fraction])


def mixture(profiles: Sequence[Profile], shares: Sequence[float]) -> Profile:
    """Weighted sum of profiles; shares sum to one."""
    pairs = zip(shares, profiles, strict=True)
    return Profile(tuple((w * s, part) for w, p in pairs if w for s, part in p.parts))


def averaged(profile: Profile, offsets_mm: Sequence[float], shares: Sequence[float]) -> Profile:
    """Profile of a weighted average of slices: the profile repeated at the offsets."""
    moved = [Profile(tuple((s, p.shifted(d)) for s, p in profile.parts)) for d in offsets_mm]
    return mixture(moved, shares)


def scanner_profile(
    nominal_mm: float,
    width_factor: float = 1.0,
    bell_fraction: float = 0.0,
    ramp_mm: float | None = None,
) -> Profile:
    """Profile of a multi-row scanner, trapezoid to bell: FWHM = nominal times ``width_factor``.

    The ramp is 1.2 mm unless given, and never more than the FWHM.
    """
    fwhm_mm = nominal_mm * width_factor
    ramp_mm = min(RAMP_MM, fwhm_mm) if ramp_mm is None else ramp_mm
    return blend(trapezoid(fwhm_mm, ramp_mm), gaussian(fwhm_mm), bell_fraction)


def from_taps(taps: Sequence[float], spacing_mm: float) -> Profile:
    """Profile of measured weights: piecewise constant, one step of ``spacing_mm`` per tap.

    On slices of the same spacing and phase the matrix returns the taps. Taps are scaled to sum to
    one and centred on their centre of mass, so that a thick slice keeps the position of its grid.
    """
    weights = np.asarray(taps, float)
    if weights.ndim != 1 or not weights.sum() > 0 or not spacing_mm > 0:
        raise ValueError(f"measured taps need a positive sum and spacing, found {weights.tolist()}")
    weights = weights / weights.sum()
    edges = spacing_mm * (np.arange(len(weights) + 1) - len(weights) / 2)
    edges -= weights @ (edges[1:] + edges[:-1]) / 2
    steps = [((a, h), (b, h)) for a, b, h in zip(edges, edges[1:], weights / spacing_mm)]
    return Profile(
        ((1.0, PiecewiseLinear(tuple((float(z), float(h)) for s in steps for z, h in s))),)
    )
