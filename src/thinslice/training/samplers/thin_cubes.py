"""Training cubes of thin scans alone, for networks that learn what thin scans look like.

Shape suffixes: B cubes, 1 channel, C latent channels, Z Y X; z y x the latents' steps.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from thinslice.interfaces import Pair
from thinslice.nets.noise_levels import drawn
from thinslice.training.samplers.crops import filled, place, window


class ThinCubes:
    """Draws batches (cube_B1ZYX, the same again) of ``side`` (z, y, x) in [0, 1].

    flips   left to right, every second one
    """

    def __init__(
        self,
        pairs: Sequence[Pair],
        side: tuple[int, int, int],
        batch: int,
        ct: tuple[float, float],
        flips: bool = True,
    ):
        self.pairs, self.side, self.batch, self.flips = pairs, side, batch, flips
        self.windows = [window(pair, ct) for pair in pairs]

    def __call__(self, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        cubes = torch.from_numpy(np.stack([self._cube(rng) for _ in range(self.batch)])[:, None])
        return cubes, cubes

    def _cube(self, rng: np.random.Generator) -> np.ndarray:
        i = int(rng.integers(len(self.pairs)))
        thin = self.pairs[i].thin
        z, y, x = (place(n, side, rng) for n, side in zip(thin.grid.zyx, self.side))
        flip = self.flips and rng.random() < 0.5
        unit = filled(self.windows[i].to_unit(thin.read(z, y, x)), self.side)
        return np.ascontiguousarray(unit[..., ::-1] if flip else unit, np.float32)


class NoiseBesideCubes:
    """Draws (cube_B1ZYX, noise_BCzyx, noise levels [B], zeros): what ``DenoisingErrors`` takes.

    cubes    draws of cubes
    latent   channels and by how much latents are coarser
    levels   least and most noise
    """

    def __init__(self, cubes: ThinCubes, latent: tuple[int, int], levels: tuple[float, float]):
        self.cubes, self.latent, self.levels = cubes, latent, levels

    def __call__(self, rng: np.random.Generator) -> tuple[Tensor, ...]:
        cubes_B1ZYX, _ = self.cubes(rng)
        channels, coarser = self.latent
        shape = (len(cubes_B1ZYX), channels, *(n // coarser for n in cubes_B1ZYX.shape[2:]))
        noise = torch.from_numpy(rng.standard_normal(shape, np.float32))
        levels = torch.from_numpy(drawn(rng, len(cubes_B1ZYX), *self.levels))
        return cubes_B1ZYX, noise, levels, torch.zeros_like(noise)
