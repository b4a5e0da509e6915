"""Training patches of a score model: axial slices with noise, and a first network's answer to them.

Shape suffixes: B patches, C known slices, Y X.
"""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from thinslice.nets.noise_levels import drawn

Draw = Callable[[np.random.Generator], tuple[Tensor, ...]]


class NoisedSlices:
    """Draws (noisy y_B1YX, known x_BCYX, noise levels [B], thin y_B1YX).

    patches   draws (known, thin), as ``two_view_patches.ViewPatches``: the coarse slice, perhaps
              with its neighbours, then as many of the interpolated scan, then the phase
    scale     size of thin - coarse, of which noise levels are multiples
    levels    least and most
    """

    def __init__(self, patches: Draw, scale: float, levels: tuple[float, float]):
        self.patches, self.scale, self.levels = patches, scale, levels

    def __call__(self, rng: np.random.Generator) -> tuple[Tensor, ...]:
        known_BCYX, thin_B1YX = self.patches(rng)
        level_B = torch.from_numpy(drawn(rng, len(thin_B1YX), *self.levels))
        noise = torch.from_numpy(rng.standard_normal(tuple(thin_B1YX.shape), np.float32))
        noisy_B1YX = thin_B1YX + noise * level_B[:, None, None, None] * self.scale
        return noisy_B1YX, known_BCYX, level_B, thin_B1YX


def size_of_lacking(patches: Draw, batches: int, seed: int) -> float:
    """Root mean square of thin - coarse over that many batches; never 0."""
    rngs = (np.random.default_rng([seed, i]) for i in range(batches))
    squares = []
    for known_BCYX, thin_B1YX in map(patches, rngs):
        middle = known_BCYX.shape[1] // 4
        lacking = thin_B1YX - known_BCYX[:, middle : middle + 1]
        squares.append(float(lacking.square().mean()))
    return max(float(np.sqrt(np.mean(squares))), 1e-6)
