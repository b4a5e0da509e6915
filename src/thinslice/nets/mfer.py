"""MFER: every level of a stack of mixed convolutions draws an image, and all images are fused.

    stem      a 3x3x3 convolution
    level     ReLU of the sum of three 3x3x3 convolutions: a plain one, one of dilation 2, and a
              transposed one of stride 1. Each level feeds the next
    image     of each level: a transposed convolution to native slices, weighted voxel by voxel by
              attention to itself, ReLU
    fusion    the images are weighted by what each holds on average and at most (channel attention)
              and summed, and the thick slices themselves are added by a transposed convolution

Source: Li et al., Computers in Biology and Medicine 2024; sizes as in the authors' code, written
anew from a description. Theirs doubles all three axes; here it is for native slices
(``nets.native_deconvolution``), and with ``AUTHORS`` it is theirs, which tests compare. A plain and
a transposed convolution of stride 1 are one, by the sum of their kernels; so they are computed.

First weights are ours: the fusion starts at zero and the skip as linear interpolation, grey values
are stretched (``nets.grey``), and channel attention starts alive and near a half.

Channel attention looks at the whole cube, so an answer depends on the tile that it is in.

Shape suffixes: B batch, C channels, L levels, Z slices, Y X in-plane.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import conv3d, relu

from thinslice.nets.grey import STRETCHED, Grey
from thinslice.nets.native_deconvolution import (
    Deconvolution,
    check_depth,
    linear_kernel,
    to_native,
)

AUTHORS = Deconvolution((4, 4, 4), (2, 2, 2), (1, 1, 1))  # twice as many voxels along all axes
REDUCTION = 16  # of images to hidden units in the channel attention


@dataclass(frozen=True)
class Sizes:
    """Architecture of an MFER; the defaults are the authors'."""

    depth: int = 8  # thick slices in
    factor: int = 5  # native slices per thick increment
    stem: int = 64  # features before the first level
    levels: int = 19
    channels: int = 32  # features of a level


class Level(nn.Module):
    """Features to the next features, and to one image of them."""

    def __init__(self, inputs: int, channels: int, upsampling: Deconvolution):
        super().__init__()
        self.plain = nn.Conv3d(inputs, channels, 3, padding=1)
        self.dilated = nn.Conv3d(inputs, channels, 3, padding=2, dilation=2)
        self.transposed = nn.ConvTranspose3d(inputs, channels, 3, padding=1)
        self.draw = upsampling.layer(channels)
        self.attention = nn.Conv3d(2, 1, 3, padding=1)

    def features(self, x_BCZYX: Tensor) -> Tensor:
        """ReLU of the three convolutions' sum."""
        turned = self.transposed.weight.transpose(0, 1).flip(2, 3, 4)
        assert self.plain.bias is not None
        assert self.transposed.bias is not None
        bias = self.plain.bias + self.transposed.bias
        both_BCZYX = conv3d(x_BCZYX, self.plain.weight + turned, bias, padding=1)
        return relu(both_BCZYX + self.dilated(x_BCZYX))

    def image(self, features_BCZYX: Tensor) -> Tensor:
        """The level's image; of one channel, mean and maximum are that channel."""
        image_B1ZYX = self.draw(features_BCZYX)
        weight = self.attention.weight.sum(1, keepdim=True)
        attention = conv3d(image_B1ZYX, weight, self.attention.bias, padding=1).sigmoid()
        return relu(image_B1ZYX * attention)


class Fusion(nn.Module):
    """Images to one, weighted by channel attention."""

    def __init__(self, levels: int):
        super().__init__()
        hidden = max(levels // REDUCTION, 1)
        self.squeeze = nn.Conv3d(levels, hidden, 1)
        self.expand = nn.Conv3d(hidden, levels, 1)
        self.sum = nn.Conv3d(levels, 1, 1)

    def forward(self, images_BLZYX: Tensor) -> Tensor:
        pooled = (images_BLZYX.mean((2, 3, 4), True), images_BLZYX.amax((2, 3, 4), True))
        weight = sum(self.expand(relu(self.squeeze(pool))) for pool in pooled)
        return self.sum(images_BLZYX * torch.sigmoid(torch.as_tensor(weight)))


class MFER(nn.Module):
    """[B, 1, depth, Y, X] to [B, 1, (depth - 1) * factor + 1, Y, X], both in [0, 1] units."""

    sees_whole_tile = True  # its channel attention does

    def __init__(
        self, sizes: Sizes, upsampling: Deconvolution | None = None, grey: Grey = STRETCHED
    ):
        super().__init__()
        s, self.grey = sizes, grey
        self.depth = s.depth
        upsampling = upsampling or to_native(s.factor)
        self.stem = nn.Conv3d(1, s.stem, 3, padding=1)
        self.skip = upsampling.layer(1)
        inputs = [s.stem, *[s.channels] * (s.levels - 1)]
        self.levels = nn.ModuleList(Level(n, s.channels, upsampling) for n in inputs)
        self.fusion = Fusion(s.levels)
        self._start(upsampling)

    def _start(self, upsampling: Deconvolution) -> None:
        """He's weights; the skip interpolates and the fusion is silent."""
        for layer in self.modules():
            if isinstance(layer, nn.Conv3d | nn.ConvTranspose3d):
                nn.init.kaiming_normal_(layer.weight)
                nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
        with torch.no_grad():
            for level in self.levels:
                assert isinstance(level, Level)
                for branch in (level.plain, level.dilated, level.transposed):
                    branch.weight.div_(3**0.5)  # three are added up
            self.fusion.squeeze.weight.abs_()
            self.fusion.expand.weight.mul_(0.05)  # else the sigmoid is saturated, and stays so
            self.fusion.sum.weight.zero_()
            self.skip.weight[0, 0] = linear_kernel(upsampling)

    def forward(self, x_B1ZYX: Tensor) -> Tensor:
        """Thick slices to native slices."""
        check_depth(x_B1ZYX, self.depth)
        state_BCZYX, images = relu(self.stem(self.grey.seen(x_B1ZYX))), []
        for level in self.levels:
            state_BCZYX = level.features(state_BCZYX)  # type: ignore[operator]
            images.append(level.image(state_BCZYX))  # type: ignore[operator]
        fused_B1ZYX = self.fusion(torch.cat(images, 1))
        return self.skip(x_B1ZYX) + self.grey.correction(fused_B1ZYX)
