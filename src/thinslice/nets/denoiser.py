"""A network that removes noise of any known level: the score model of a diffusion.

The score of noisy data is (denoised - noisy) / level squared, so a denoiser is all that sampling
needs. Noisy data are scaled before the network, its answer after it, and both are mixed so that at
every level what the network has to give is of size one (Karras et al. 2022, data of size one).
Untrained, where the network answers zero, data are drawn towards zero as far as their noise asks.

Shape suffixes: B samples, C channels, * axes.
"""

import torch
from torch import Tensor, nn

from thinslice.nets.score_unet import ScoreUNet


class Denoiser(nn.Module):
    """noisy_BC*, levels [B], what is known of each, known_BK*, and phases [B] to denoised_BC*.

    net     of C + K channels, to C, phased where phases are given; see ``nets.score_unet``
    scale   size of clean data, a number that is saved with the weights; levels are in units of it
    """

    scale: Tensor

    def __init__(self, net: ScoreUNet):
        super().__init__()
        self.net = net
        self.register_buffer("scale", torch.ones(()))

    def forward(
        self,
        noisy: Tensor,
        level_B: Tensor,
        known: Tensor | None = None,
        phase_B: Tensor | None = None,
    ) -> Tensor:
        level = level_B.reshape(-1, *[1] * (noisy.ndim - 1))
        size = (level.square() + 1).sqrt()
        x = noisy / self.scale
        inputs = x / size if known is None else torch.cat((x / size, known), 1)
        clean = x / size.square() + level / size * self.net(inputs, level_B, phase_B)
        return clean * self.scale
