"""A score model of what a coarse answer lacks, axial slice by axial slice.

Noisy slices are the coarse ones plus what they lack plus noise. The denoiser is shown what is above
the coarse slice, and the coarse and the interpolated slice with those beside them, stretched.

Shape suffixes: B slices, C a coarse slice and its neighbours in order, then the same of the
interpolated scan, Y X.
"""

import torch
from torch import Tensor, nn

from thinslice.nets.denoiser import Denoiser
from thinslice.nets.grey import STRETCHED
from thinslice.nets.score_unet import ScoreUNet


class RefinedSlices(nn.Module):
    """noisy_B1YX, known_BCYX and noise levels [B] to denoised_B1YX; any size."""

    def __init__(self, channels: int = 64, levels: int = 4, neighbours: int = 1):
        super().__init__()
        if neighbours < 0:
            raise ValueError(f"neighbours are 0 or more, found {neighbours}")
        self.neighbours = neighbours
        self.denoiser = Denoiser(ScoreUNet(2, 3 + 4 * neighbours, 1, channels, levels))

    @property
    def align(self) -> int:
        """Sizes are multiples of it."""
        return self.denoiser.net.align

    @property
    def reach(self) -> int:
        """Receptive field, pixels to each side."""
        return self.denoiser.net.reach

    def forward(self, noisy_B1YX: Tensor, known_BCYX: Tensor, level_B: Tensor) -> Tensor:
        middle = known_BCYX[:, self.neighbours : self.neighbours + 1]
        lacking = self.denoiser(noisy_B1YX - middle, level_B, STRETCHED.seen(known_BCYX))
        return middle + lacking


class AtLevel(nn.Module):
    """The same for one noise level: noisy, coarse and interpolated slices and their neighbours."""

    def __init__(self, net: RefinedSlices, level: float):
        super().__init__()
        self.net, self.level = net, level

    def forward(self, x_BCYX: Tensor) -> Tensor:
        level_B = torch.full((len(x_BCYX),), self.level, device=x_BCYX.device)
        n = self.net.neighbours
        return self.net(x_BCYX[:, n : n + 1], x_BCYX[:, 2 * n + 1 :], level_B)
