"""Quantum noise: one field per patient, shared by all reconstructions of that patient.

The field is white along z on a lattice finer than the slices, and white in-plane until a read's
kernel shapes it. Its variance grows as exp(path) through the body, averaged over a lateral and a
frontal view. Rows of the lattice are made on demand from the seed and their index, so that two
reads, in whatever order, see the same quanta. Expected, and tested: the variance of a read is
proportional to (integral of |f| MTF^2) x (integral of h^2).

Differs from a scanner: the lattice is 0.25 mm, not a detector's 0.5 to 0.625, since cells that wide
would themselves broaden a 1.25 mm profile; views are two; noise keeps the profile of the axis.
"""

from dataclasses import dataclass, field

import numpy as np

from thinslice.operators.profiles import Profile, box
from thinslice.phantom.layers import Layers

WATER_PER_MM = 0.019  # attenuation at 70 keV
FIRST_ROW = 1 << 20  # rows below the patient's middle have positive seeds too
VIEW_MM = 8.0  # the path is looked at this often along z
SLAB = 16
KEPT_BYTES = 96 * 2**20  # of rows that a patient's second read need not draw again


@dataclass(frozen=True)
class Dose:
    """Noise variance as a lateral view and a frontal one leave it, at heights ``z_mm`` [V]."""

    z_mm: np.ndarray
    lateral: np.ndarray  # [V, cells_y]
    frontal: np.ndarray  # [V, cells_x]

    def amplitude(self, z_mm: float) -> np.ndarray:
        """Standard deviation relative to the body's mean square, float32 [cells_y, cells_x]."""
        place = np.interp(z_mm, self.z_mm, np.arange(len(self.z_mm)))
        low = min(int(place), len(self.z_mm) - 2)
        views = (
            view[low] + (place - low) * (view[low + 1] - view[low])
            for view in (self.lateral, self.frontal)
        )
        lateral, frontal = views
        return np.sqrt((lateral[:, None] + frontal[None]) / 2, dtype=np.float32)


@dataclass(frozen=True)
class Noise:
    """The field: ``density_hu`` is its amplitude, in HU per root of unit density."""

    seed: tuple[int, ...]
    density_hu: float
    pitch_mm: float
    dose: Dose
    cell_mm2: float
    _kept: dict[int, np.ndarray] = field(  # of this seed and dose alone: a copy begins anew
        default_factory=dict, init=False, repr=False, compare=False
    )

    def slices(self, profile: Profile, centres_mm: np.ndarray) -> np.ndarray:
        """The field through a profile, before the kernel; float32 [Z, cells_y, cells_x]."""
        slabs = range(0, len(centres_mm), SLAB)
        return np.concatenate([self._slab(profile, centres_mm[k : k + SLAB]) for k in slabs])

    def _slab(self, profile: Profile, centres_mm: np.ndarray) -> np.ndarray:
        first = int(np.floor((centres_mm[0] - profile.support_mm) / self.pitch_mm))
        last = int(np.ceil((centres_mm[-1] + profile.support_mm) / self.pitch_mm))
        edges = self.pitch_mm * np.arange(first, last + 1)
        weights = np.diff(profile.cdf(edges - centres_mm[:, None]), axis=1)
        unit = self.density_hu / np.sqrt(self.pitch_mm * self.cell_mm2)
        rows = np.stack([self._row(i) for i in range(first, last)])
        return np.tensordot((unit * weights).astype(np.float32), rows, 1)

    def _row(self, index: int) -> np.ndarray:
        """A row, drawn or kept; slabs of one read overlap, too."""
        if index in self._kept:
            return self._kept[index]
        row = self._drawn(index)
        if (len(self._kept) + 1) * row.nbytes <= KEPT_BYTES:
            self._kept[index] = row
        return row

    def _drawn(self, index: int) -> np.ndarray:
        amplitude = self.dose.amplitude((index + 0.5) * self.pitch_mm)
        rng = np.random.default_rng([*self.seed, FIRST_ROW + index])
        return rng.standard_normal(amplitude.shape, np.float32) * amplitude


def expose(
    steps: Layers,
    scanned_mm: tuple[float, float],
    seed: tuple[int, ...],
    density_hu: float,
    pitch_mm: float = 0.25,
) -> Noise:
    """The noise of one exposure of a patient, ``scanned_mm`` from end to end.

    ``density_hu`` squared times a read's energies in-plane and along z is its mean variance in the
    scanned body. Raises ValueError for a lattice coarser than a detector's rows, 0.625 mm.
    """
    if not 0 < pitch_mm <= 0.625:
        raise ValueError(f"the noise lattice must be finer than 0.625 mm, found {pitch_mm}")
    dose = _dose(steps, scanned_mm)
    return Noise(seed, density_hu, pitch_mm, dose, float(np.prod(steps.plane.pitch_mm)))


def _dose(steps: Layers, scanned_mm: tuple[float, float]) -> Dose:
    low, high = scanned_mm
    z = np.linspace(low, high, max(2, round((high - low) / VIEW_MM) + 1))
    hu = steps.slices(box(VIEW_MM / 4), z)
    water = np.maximum(1 + hu / 1000, 0)
    dy, dx = steps.plane.pitch_mm
    lateral = np.exp(WATER_PER_MM * dx * water.sum(2))
    frontal = np.exp(WATER_PER_MM * dy * water.sum(1))
    body = hu > -950
    both = (lateral[:, :, None] + frontal[:, None, :]) / 2
    mean = both[body].mean() if body.any() else 1.0
    return Dose(z, lateral / mean, frontal / mean)
