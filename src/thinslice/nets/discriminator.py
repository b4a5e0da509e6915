"""A discriminator of patches: is this what the scanner would have given, here?

Strided convolutions with leaky ReLUs, without norms (cubes come one at a time), to a map of scores:
each says of one patch of an answer whether it looks acquired, given the image that it was made
from. In two dimensions or three.

Source: Isola et al., "Image-to-image translation with conditional adversarial networks" (PatchGAN),
CVPR 2017. Ours: no norms, kernels of 3, grey values are stretched (``nets.grey``).

Shape suffixes: B batch, C features; in 2-D two more axes, in 3-D three.
"""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu

from thinslice.nets.grey import STRETCHED

SLOPE = 0.2  # of a leaky ReLU below zero
KINDS = {2: nn.Conv2d, 3: nn.Conv3d}


class Discriminator(nn.Module):
    """Answers and what they were made from, [B, 1, ...] each and of one size, to a list of maps.

    dims       of an image
    channels   features of the first layer; each layer has twice as many
    levels     layers, each of which halves all axes
    """

    def __init__(self, dims: int, channels: int = 32, levels: int = 3):
        super().__init__()
        kind = KINDS[dims]
        widths = [2, *(channels * 2**level for level in range(levels))]
        self.layers = nn.ModuleList(
            kind(inputs, outputs, 3, stride=2, padding=1) for inputs, outputs in pairwise(widths)
        )
        self.scores = kind(widths[-1], 1, 3, padding=1)

    def forward(self, image: Tensor, seen: Tensor) -> list[Tensor]:
        """Features of every layer, finest first, and last the scores."""
        maps = [torch.cat((STRETCHED.seen(image), STRETCHED.seen(seen)), 1)]
        for layer in self.layers:
            maps.append(leaky_relu(layer(maps[-1]), SLOPE))
        return [*maps[1:], self.scores(maps[-1])]
