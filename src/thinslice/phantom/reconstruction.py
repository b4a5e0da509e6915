"""Reconstruct an exposure: slice profile, kernel, grid and optional effects.

    slices = N( K(x, y) * [ h(z) * (anatomy + R noise) ] )   rounded and clipped to HU as stored

Anatomy and noise are the patient's; h, K and N are the read's. Two reads of one patient thus share
every vessel and every quantum, as a thick and a thin series of one scan do.

Differs from a scanner: the profile broadens off-centre for anatomy only, and by distance alone.
"""

from dataclasses import dataclass

import numpy as np

from thinslice.operators.profiles import Profile
from thinslice.phantom.denoising import denoised
from thinslice.phantom.kernel import filtered, mtf, noise_energy, ramp
from thinslice.phantom.lattice import Plane
from thinslice.phantom.layers import Layers
from thinslice.phantom.noise import Noise
from thinslice.volume import Grid, Volume

STORED_HU = (-1024, 3071)
SLAB = 16


@dataclass(frozen=True)
class Reconstruction:
    """How slices are reconstructed; what is left at zero is switched off."""

    profile: Profile
    mtf50_per_mm: float
    iterative: float = 0.0  # strength, 0 to 1
    broadening: float = 0.0  # of the profile, share per 100 mm from the axis
    jitter_mm: float = 0.0  # largest error of a slice's position
    seed: tuple[int, ...] = (0,)  # of the jitter

    def energy(self, plane: Plane) -> float:
        """Variance this read leaves of noise of unit density: in-plane times along z."""
        return noise_energy(plane, self.mtf50_per_mm) * self.profile.energy_per_mm

    def centres_mm(self, grid: Grid) -> np.ndarray:
        """Where the slices of ``grid`` really are, with the table's jitter."""
        jitter = np.random.default_rng(self.seed).uniform(-1, 1, grid.n)
        return grid.centres_mm() + self.jitter_mm * jitter


def acquire(steps: Layers, noise: Noise | None, read: Reconstruction, grid: Grid) -> Volume:
    """The slices of ``grid``, whole HU in -1024..3071; without noise where ``noise`` is None.

    Raises ValueError where the anatomy is not known as far as the slices see, or lies on another
    plane than the grid's.
    """
    plane = steps.plane
    if Plane.of(grid, plane.fine) != plane:
        raise ValueError(f"the grid's plane is not the anatomy's, {plane}")
    centres = read.centres_mm(grid)
    sharpness = mtf(plane.frequencies_per_mm(), read.mtf50_per_mm)
    rough = ramp(plane.frequencies_per_mm()) * sharpness
    anatomy = steps.slices(read.profile, centres, read.broadening)
    out = np.empty(grid.zyx, np.float32)
    for first in range(0, grid.n, SLAB):
        slab = slice(first, first + SLAB)
        out[slab] = plane.to_pixels(filtered(anatomy[slab], sharpness))
        if noise is not None:
            quanta = noise.slices(read.profile, centres[slab])
            out[slab] += plane.to_pixels(filtered(quanta, rough))
    sd_hu = noise.density_hu * np.sqrt(read.energy(plane)) if noise is not None else 0.0
    out = denoised(out, read.iterative, float(sd_hu))
    return Volume(np.clip(np.rint(out), *STORED_HU).astype(np.float32), grid)
