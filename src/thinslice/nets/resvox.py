"""ResVox: multi-scale residual blocks of 3-D convolutions, and a sub-pixel convolution along z.

A block looks at 3 and at 5 voxels side by side, twice; what either has seen the first time, both
see the second. All four go through a 1 x 1 convolution and are added to what came in.

Source: Ge et al. (ResVoxGAN), MICCAI 2019, from its abstract: "consecutive 3-D multi-scale residual
blocks" and a "Subpixel ConvNet". The block is that of Li et al. (MSRN), ECCV 2018, with cubes for
kernels. Ours: how many and how wide, a skip over all blocks, stretched grey values (``nets.grey``),
and that linear interpolation is corrected by nothing before training. The paper removes noise too;
this network does not.

Shape suffixes: B batch, F features, Z thick slices, N native slices, Y X in-plane.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import relu

from thinslice.nets.along_z import convolution, finer, native, rest
from thinslice.nets.grey import STRETCHED


@dataclass(frozen=True)
class Sizes:
    """What shapes the network."""

    factor: int = 5  # native slices per thick increment
    blocks: int = 6
    channels: int = 32


class MultiScaleBlock(nn.Module):
    """x + what 3 and 5 voxels tell, each told what the other has seen."""

    def __init__(self, channels: int):
        super().__init__()
        self.near = convolution(3, channels, channels)
        self.far = convolution(3, channels, channels, 5)
        self.near_again = convolution(3, 2 * channels, 2 * channels)
        self.far_again = convolution(3, 2 * channels, 2 * channels, 5)
        self.fuse = convolution(3, 4 * channels, channels, 1)

    def forward(self, x_BFZYX: Tensor) -> Tensor:
        both = torch.cat((relu(self.near(x_BFZYX)), relu(self.far(x_BFZYX))), 1)
        again = torch.cat((relu(self.near_again(both)), relu(self.far_again(both))), 1)
        return x_BFZYX + self.fuse(again)


class ResVox(nn.Module):
    """x_B1ZYX of thick slices to native slices."""

    def __init__(self, sizes: Sizes):
        super().__init__()
        s = self.sizes = sizes
        self.first = convolution(3, 1, s.channels)
        self.blocks = nn.Sequential(*(MultiScaleBlock(s.channels) for _ in range(s.blocks)))
        self.finer = finer(3, s.channels, s.factor)
        self.last = convolution(3, s.channels, 1)
        rest(self.last)

    def forward(self, x_B1ZYX: Tensor) -> Tensor:
        """Grey values to grey values, [B, 1, (Z - 1) * factor + 1, Y, X]."""
        first_BFZYX = self.first(STRETCHED.seen(x_B1ZYX))
        made_B1NYX = self.last(self.finer(first_BFZYX + self.blocks(first_BFZYX)))
        return native(made_B1NYX, x_B1ZYX, self.sizes.factor, corrects=True)
