"""RDN: residual dense blocks, in two dimensions or three, that make slices finer along z.

Two shallow convolutions; blocks whose convolutions each see all features before them, fused by a
1 x 1 convolution and added to what came in; all blocks fused, and the first features added. Then a
sub-pixel convolution and a last one.

Source: Zhang et al., "Residual dense network for image super-resolution", CVPR 2018; written from a
description, and tests compare the network with the outputs of a public PyTorch version. Differs: z
alone grows; one grey value for three colours, moved and stretched (``nets.grey``) where the authors
take off the mean colour. The paper has no 3-D network: there the kernels are cubes.

Shape suffixes: B batch, F features, Z slices; in 2-D one more axis, in 3-D two.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from thinslice.nets.along_z import convolution, finer, native, rest
from thinslice.nets.grey import STRETCHED


class DenseBlock(nn.Module):
    """x + fused features of a chain of convolutions that each see all before them."""

    def __init__(self, dims: int, features: int, layers: int, growth: int):
        super().__init__()
        self.layers = nn.ModuleList(
            convolution(dims, features + k * growth, growth) for k in range(layers)
        )
        self.fuse = convolution(dims, features + layers * growth, features, 1)

    def forward(self, x_BFZ: Tensor) -> Tensor:
        seen = x_BFZ
        for layer in self.layers:
            seen = torch.cat((seen, layer(seen).relu()), 1)
        return x_BFZ + self.fuse(seen)


class Trunk(nn.Module):
    """[B, inputs, Z, ...] to features of the same size."""

    def __init__(
        self, dims: int, blocks: int, layers: int, growth: int, features: int = 64, inputs: int = 1
    ):
        super().__init__()
        self.first = convolution(dims, inputs, features)
        self.second = convolution(dims, features, features)
        self.blocks = nn.ModuleList(
            DenseBlock(dims, features, layers, growth) for _ in range(blocks)
        )
        self.fuse = nn.Sequential(
            convolution(dims, blocks * features, features, 1),
            convolution(dims, features, features),
        )

    def forward(self, x: Tensor) -> Tensor:
        first_BFZ = self.first(x)
        made, answers = self.second(first_BFZ), []
        for block in self.blocks:
            made = block(made)
            answers.append(made)
        return self.fuse(torch.cat(answers, 1)) + first_BFZ


@dataclass(frozen=True)
class Sizes:
    """What shapes the network; the defaults are the paper's larger one."""

    factor: int = 5  # native slices per thick increment
    blocks: int = 16  # D
    layers: int = 8  # C, convolutions of a block
    growth: int = 64  # G, features that each adds
    features: int = 64  # G0
    corrects: bool = False  # what is made is added to linear interpolation


class RDN(nn.Module):
    """x_B1Z of thick slices, in 2-D or 3-D, to native slices."""

    def __init__(self, dims: int, sizes: Sizes):
        super().__init__()
        s = self.sizes = sizes
        self.trunk = Trunk(dims, s.blocks, s.layers, s.growth, s.features)
        self.finer = finer(dims, s.features, s.factor)
        self.last = convolution(dims, s.features, 1)
        if s.corrects:
            rest(self.last)

    def forward(self, x_B1Z: Tensor) -> Tensor:
        """Grey values to grey values, [B, 1, (Z - 1) * factor + 1, ...]."""
        made_B1N = self.last(self.finer(self.trunk(STRETCHED.seen(x_B1Z))))
        return native(made_B1N, x_B1Z, self.sizes.factor, self.sizes.corrects)
