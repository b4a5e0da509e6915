"""Curves of area one that slice profiles consist of: Gaussians and piecewise linear functions.

Density, cumulative integral and spectrum of both are closed forms; ``profiles`` adds them up.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, spherical_jn

GAUSSIAN_REACH_SIGMA = 5.5  # one side's tail beyond it is 2e-8


@dataclass(frozen=True)
class Gaussian:
    """A Gaussian of area one."""

    centre_mm: float
    sigma_mm: float

    def density(self, z_mm: np.ndarray) -> np.ndarray:
        """Density at z, 1/mm."""
        u = (z_mm - self.centre_mm) / self.sigma_mm
        return np.exp(-(u**2) / 2) / (self.sigma_mm * np.sqrt(2 * np.pi))

    def cdf(self, z_mm: np.ndarray) -> np.ndarray:
        """Integral from -infinity to z."""
        return ndtr((z_mm - self.centre_mm) / self.sigma_mm)

    def spectrum(self, f_per_mm: np.ndarray) -> np.ndarray:
        """Complex Fourier transform at frequencies f, 1/mm; one at zero."""
        w = 2 * np.pi * f_per_mm
        return np.exp(-((w * self.sigma_mm) ** 2) / 2 - 1j * w * self.centre_mm)

    def breaks_mm(self) -> np.ndarray:
        """Points between which products with the curve are smooth; the first and last bound it."""
        return self.centre_mm + self.sigma_mm * np.linspace(-1, 1, 23) * GAUSSIAN_REACH_SIGMA

    def shifted(self, by_mm: float) -> "Gaussian":
        """The same curve ``by_mm`` further along z."""
        return Gaussian(self.centre_mm + by_mm, self.sigma_mm)


@dataclass(frozen=True)
class PiecewiseLinear:
    """A piecewise linear density of area one: (z, h) by ascending z; two h at one z is a jump."""

    knots: tuple[tuple[float, float], ...]

    def _segments(self) -> tuple[np.ndarray, ...]:
        """Start, length, start height and slope of every segment."""
        z, h = np.array(self.knots).T
        keep = np.diff(z) > 0
        length = np.diff(z)[keep]
        return z[:-1][keep], length, h[:-1][keep], np.diff(h)[keep] / length

    def density(self, z_mm: np.ndarray) -> np.ndarray:
        """Density at z, 1/mm."""
        start, length, height, slope = self._segments()
        j = np.clip(np.searchsorted(start, z_mm, "right") - 1, 0, len(start) - 1)
        u = z_mm - start[j]
        return np.where((u >= 0) & (u <= length[j]), height[j] + slope[j] * u, 0.0)

    def cdf(self, z_mm: np.ndarray) -> np.ndarray:
        """Integral from -infinity to z."""
        start, length, height, slope = self._segments()
        area = np.concatenate([[0.0], np.cumsum(length * (height + slope * length / 2))])
        j = np.clip(np.searchsorted(start, z_mm, "right") - 1, 0, len(start) - 1)
        u = np.clip(z_mm - start[j], 0, length[j])
        return area[j] + u * (height[j] + slope[j] * u / 2)

    def spectrum(self, f_per_mm: np.ndarray) -> np.ndarray:
        """Complex Fourier transform at frequencies f, 1/mm; one at zero."""
        start, length, height, slope = self._segments()
        f = f_per_mm[..., None]
        x = np.pi * f * length  # phase from a segment's middle to its end
        even = (height + slope * length / 2) * length * spherical_jn(0, np.abs(x))
        odd = slope * length**2 / 2 * spherical_jn(1, np.abs(x)) * np.sign(x)
        return ((even - 1j * odd) * np.exp(-2j * np.pi * f * (start + length / 2))).sum(-1)

    def breaks_mm(self) -> np.ndarray:
        """The knots, for the same use as the breaks of a Gaussian."""
        return np.array(self.knots)[:, 0]

    def shifted(self, by_mm: float) -> "PiecewiseLinear":
        """The same curve ``by_mm`` further along z."""
        return PiecewiseLinear(tuple((z + by_mm, h) for z, h in self.knots))
