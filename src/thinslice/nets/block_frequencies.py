"""The lowest frequencies of blocks of voxels: means and slopes, and what they say of the voxels.

Cosines of blocks that do not overlap (the transform of JPEG, in three axes), by rising frequency:
first the mean, then a slope along each axis. Few of them keep the most of a scan that any few
numbers of fixed weights keep, nearly; so a network that codes blocks starts from them.

Shape suffixes: B cubes, 1 channel, C coefficients, Z Y X voxels; z y x blocks.
"""

from itertools import product

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import conv3d, conv_transpose3d

DETAIL = 8.0  # of slopes and all above: as large as means are in thin scans, instead of a tenth


class BlockFrequencies(nn.Module):
    """x_B1ZYX to coefficients_BCzyx of blocks of ``side`` voxels along each axis, and back.

    Fixed: no weights, nothing that is saved. Coefficients beyond the side ** 3 there are stay zero.
    """

    waves: Tensor  # [C, 1, z, y, x]
    gain: Tensor  # [C, 1, 1, 1]

    def __init__(self, side: int, count: int):
        super().__init__()
        waves = torch.from_numpy(cosines(side, count))[:, None]
        gain = torch.full((count,), DETAIL)
        gain[0] = 1.0
        self.side = side
        self.register_buffer("waves", waves, persistent=False)
        self.register_buffer("gain", gain.view(-1, 1, 1, 1), persistent=False)

    def forward(self, x_B1ZYX: Tensor) -> Tensor:
        """The mean of each wave times the block's voxels, slopes and above ``DETAIL`` times."""
        return self.gain * conv3d(x_B1ZYX, self.waves / self.side**3, stride=self.side)

    def voxels(self, coefficients_BCzyx: Tensor) -> Tensor:
        """What the coefficients say, x_B1ZYX; with all side ** 3 of them, all there was."""
        amounts = coefficients_BCzyx / self.gain
        return conv_transpose3d(amounts, self.waves, stride=self.side)


def cosines(side: int, count: int) -> np.ndarray:
    """The ``count`` lowest waves of a block, float32 [C, z, y, x], mean square 1, uncorrelated."""
    orders = sorted(product(range(side), repeat=3), key=lambda k: (sum(i * i for i in k), k))
    middle = (np.arange(side) + 0.5) * np.pi / side
    line = np.cos(np.arange(side)[:, None] * middle)
    line[1:] *= np.sqrt(2)
    waves = np.zeros((count, side, side, side), np.float32)
    for wave, (k, m, n) in zip(waves, orders):
        wave[:] = line[k][:, None, None] * line[m][:, None] * line[n]
    return waves
