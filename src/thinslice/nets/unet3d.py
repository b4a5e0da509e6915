"""A small 3-D U-Net that says of every voxel which structure it is.

Every level has two convolutions of 3 x 3 x 3 voxels, each with a leaky ReLU; maxima are pooled
down, and features interpolated up and concatenated with the encoder's.

Source: Cicek et al., "3D U-Net", MICCAI 2016. Ours: the size, leaky ReLU, trilinear interpolation,
and no normalisation. That of a batch of two crops says little of a scan, and that of an instance
(nnU-Net's) would let a label depend on how far the crop reaches.

Shape suffixes: B crops, C channels or classes, Z Y X axes.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, max_pool3d

SLOPE = 0.01  # of the leaky ReLU below 0


def _block(inputs: int, outputs: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for into in (inputs, outputs):
        convolution = nn.Conv3d(into, outputs, 3, padding=1)
        nn.init.kaiming_normal_(convolution.weight, SLOPE)
        layers += [convolution, nn.LeakyReLU(SLOPE, inplace=True)]
    return nn.Sequential(*layers)


class UNet3D(nn.Module):
    """x_B1ZYX to the scores of ``classes``, y_BCZYX; sides are multiples of ``align``.

    channels   features of the finest level; each level down has twice as many
    """

    def __init__(self, classes: int, channels: int = 8, levels: int = 3):
        super().__init__()
        if min(classes - 1, channels, levels) < 1:
            raise ValueError(f"a U-Net needs two classes and one channel and level: {classes=}")
        widths = [channels * 2**level for level in range(levels)]
        self.align = 2 ** (levels - 1)
        self.down = nn.ModuleList(_block(a, b) for a, b in zip([1, *widths], widths))
        self.up = nn.ModuleList(_block(a + b, a) for a, b in zip(widths[-2::-1], widths[:0:-1]))
        self.tail = nn.Conv3d(channels, classes, 1)
        for each in self.modules():
            if isinstance(each, nn.Conv3d):  # half the time on a processor
                each.weight.data = each.weight.data.contiguous(memory_format=torch.channels_last_3d)

    @property
    def reach(self) -> int:
        """Receptive field, voxels to each side, for pooling cells at the same places."""
        levels = len(self.down)
        down = sum(2 * 2**level for level in range(levels))
        up = sum(2 * 2**level + 2 ** (level + 1) for level in range(levels - 1))
        return down + up + self.align - 1

    def forward(self, x_B1ZYX: Tensor) -> Tensor:
        features = [self.down[0](x_B1ZYX)]
        for block in list(self.down)[1:]:
            features.append(block(max_pool3d(features[-1], 2)))
        state = features.pop()
        for block in self.up:
            finer = interpolate(state, scale_factor=2, mode="trilinear", align_corners=False)
            state = block(torch.cat((finer, features.pop()), 1))
        return self.tail(state)
