"""A score model of what a coarse answer lacks, axial slice by axial slice.

Noisy slices are the coarse ones plus what they lack plus noise. The denoiser is shown what is above
the coarse slice, and the coarse slice itself, stretched.

Shape suffixes: B slices, Y X.
"""

import torch
from torch import Tensor, nn

from thinslice.nets.denoiser import Denoiser
from thinslice.nets.grey import STRETCHED
from thinslice.nets.score_unet import ScoreUNet


class RefinedSlices(nn.Module):
    """noisy_B1YX, coarse_B1YX and noise levels [B] to denoised_B1YX; any size."""

    def __init__(self, channels: int = 64, levels: int = 4):
        super().__init__()
        self.denoiser = Denoiser(ScoreUNet(2, 2, 1, channels, levels))

    @property
    def align(self) -> int:
        """Sizes are multiples of it."""
        return self.denoiser.net.align

    @property
    def reach(self) -> int:
        """Receptive field, pixels to each side."""
        return self.denoiser.net.reach

    def forward(self, noisy_B1YX: Tensor, coarse_B1YX: Tensor, level_B: Tensor) -> Tensor:
        lacking = noisy_B1YX - coarse_B1YX
        return coarse_B1YX + self.denoiser(lacking, level_B, STRETCHED.seen(coarse_B1YX))


class AtLevel(nn.Module):
    """The same for one noise level: x_B2YX, noisy and coarse slices as channels."""

    def __init__(self, net: RefinedSlices, level: float):
        super().__init__()
        self.net, self.level = net, level

    def forward(self, x_B2YX: Tensor) -> Tensor:
        level_B = torch.full((len(x_B2YX),), self.level, device=x_B2YX.device)
        return self.net(x_B2YX[:, :1], x_B2YX[:, 1:], level_B)
