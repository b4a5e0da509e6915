"""EDDSR: densely connected 3-D blocks and one transposed convolution that reads all of them.

Two convolutions, then blocks of five (the first two in sequence, each later one sees what all
before it in its block gave); the transposed convolution at the end reads the features before the
first block and those of every block. No biases, a ReLU after every convolution.

Source: after Du et al. (densely connected network with one deconvolution layer), as in the code of
MFER's authors; written anew from a description. Theirs doubles all three axes with 8 taps; here it
is for native slices (``nets.native_deconvolution``), two thick increments to either side, and with
``AUTHORS`` it is theirs, which tests compare.

First weights are ours: two features carry the stretched grey value, one what is above zero of it
and one what is below, and the last layer interpolates these linearly; all its other weights start
at zero. So an untrained network is linear interpolation, without a skip that theirs does not have.

Shape suffixes: B batch, C channels, Z slices, Y X in-plane.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import relu

from thinslice.nets.grey import STRETCHED, Grey
from thinslice.nets.native_deconvolution import (
    Deconvolution,
    check_depth,
    linear_kernel,
    to_native,
)

AUTHORS = Deconvolution((8, 8, 8), (2, 2, 2), (3, 3, 3))  # twice as many voxels along all axes
SPAN = 2  # thick increments that the last layer sees to either side


@dataclass(frozen=True)
class Sizes:
    """Architecture of an EDDSR; the defaults are those of MFER's authors."""

    depth: int = 8  # thick slices in
    factor: int = 5  # native slices per thick increment
    stem: int = 64  # features of the first convolution
    blocks: int = 4
    channels: int = 24  # features of every other convolution


def convolution(inputs: int, outputs: int) -> nn.Conv3d:
    """3x3x3, the same size, without a bias."""
    return nn.Conv3d(inputs, outputs, 3, padding=1, bias=False)


class DenseBlock(nn.Module):
    """Five convolutions; the block's input is seen by the first alone."""

    def __init__(self, channels: int):
        super().__init__()
        seen = (1, 1, 2, 3, 4)  # convolutions whose features each one sees
        self.layers = nn.ModuleList(convolution(n * channels, channels) for n in seen)

    def forward(self, x_BCZYX: Tensor) -> Tensor:
        first, *later = self.layers
        features = [relu(first(x_BCZYX))]
        for layer in later:
            features.append(relu(layer(torch.cat(features, 1))))
        return features[-1]


class EDDSR(nn.Module):
    """[B, 1, depth, Y, X] to [B, 1, (depth - 1) * factor + 1, Y, X], both in [0, 1] units."""

    def __init__(
        self, sizes: Sizes, upsampling: Deconvolution | None = None, grey: Grey = STRETCHED
    ):
        super().__init__()
        s, self.grey = sizes, grey
        self.depth = s.depth
        upsampling = upsampling or to_native(s.factor, SPAN)
        self.stem = nn.ModuleList([convolution(1, s.stem), convolution(s.stem, s.channels)])
        self.blocks = nn.ModuleList(DenseBlock(s.channels) for _ in range(s.blocks))
        self.last = upsampling.layer((s.blocks + 1) * s.channels, bias=False)
        self._start(upsampling)

    def _start(self, upsampling: Deconvolution) -> None:
        """He's weights, and the grey value carried to a last layer that interpolates it."""
        for layer in self.modules():
            if isinstance(layer, nn.Conv3d):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
        with torch.no_grad():
            self.last.weight.zero_()
            for feature, sign in enumerate((1.0, -1.0)):
                carry(self.stem[0].weight, feature, 0, sign)  # type: ignore[arg-type]
                carry(self.stem[1].weight, feature, feature, 1.0)  # type: ignore[arg-type]
                self.last.weight[feature, 0] = sign * linear_kernel(upsampling)

    def forward(self, x_B1ZYX: Tensor) -> Tensor:
        """Thick slices to native slices."""
        check_depth(x_B1ZYX, self.depth)
        state_BCZYX = self.grey.seen(x_B1ZYX)
        for layer in self.stem:
            state_BCZYX = relu(layer(state_BCZYX))
        features = [state_BCZYX]
        for block in self.blocks:
            features.append(block(features[-1]))
        return self.grey.correction(self.last(torch.cat(features, 1))) + self.grey.middle


def carry(weight: Tensor, feature: int, source: int, sign: float) -> None:
    """Make one feature of a convolution that of one input, times ``sign``."""
    weight[feature] = 0
    weight[(feature, source, *(k // 2 for k in weight.shape[2:]))] = sign
