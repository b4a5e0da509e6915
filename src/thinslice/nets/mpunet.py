"""MPU-Net: a 3-D U-Net whose decoder makes slices finer step by step.

The encoder sees thick slices and halves them in-plane from level to level. Each step up doubles
the pixels, reads the encoder's features of that size, interpolated to its slices, and makes slices
finer by a sub-pixel convolution; then its features are drawn: every step ends in an image. Slices
lie at parts of the thick increment, as many as the ``ladder`` says: for a factor of 5 and three
levels at halves, then at fifths. Where one grid does not divide the next, slices are made finer by
the next whole number and interpolated linearly.

Source: Liu et al., "Multi-stream progressive up-sampling network for dense CT image
reconstruction", MICCAI 2020, from its abstract. Ours: levels, widths, the ladder, stretched grey
values (``nets.grey``), and that each image corrects linear interpolation, by nothing before
training. The paper's streams for the inside and the outside of the lung are left out.

Shape suffixes: B batch, F features, Z slices (thick or finer), Y X in-plane.
"""

from dataclasses import dataclass
from itertools import pairwise
from math import ceil

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool3d, interpolate, relu

from thinslice.nets.along_z import Fold, native, rest
from thinslice.nets.grey import STRETCHED
from thinslice.nets.unet import mirrored


@dataclass(frozen=True)
class Sizes:
    """What shapes the network."""

    factor: int = 5  # native slices per thick increment
    channels: int = 32  # features of the finest pixels; each level down has twice as many
    levels: int = 3

    def __post_init__(self) -> None:
        if self.levels < 2:
            raise ValueError(f"slices are made finer from level to level, found {self.levels=}")


def ladder(factor: int, steps: int) -> list[int]:
    """Slices per thick increment after each step, nearly alike in ratio; the last is the factor."""
    return [max(1, round(factor ** (k / steps))) for k in range(1, steps + 1)]


def along_z(x_BFZYX: Tensor, slices: int) -> Tensor:
    """Linear to that many slices between the first and the last."""
    if x_BFZYX.shape[2] == slices:
        return x_BFZYX
    size = (slices, *x_BFZYX.shape[3:])
    return interpolate(x_BFZYX, size, mode="trilinear", align_corners=True)


def halved(x_BFZYX: Tensor, times: int = 1) -> Tensor:
    """Means of two by two pixels, so many times."""
    for _ in range(times):
        x_BFZYX = avg_pool3d(x_BFZYX, (1, 2, 2))
    return x_BFZYX


def doubled(x_BFZYX: Tensor) -> Tensor:
    """Twice the pixels along y and x, bilinear; each slice by itself."""
    planes = x_BFZYX.flatten(1, 2)
    planes = interpolate(planes, scale_factor=2.0, mode="bilinear", align_corners=False)
    return planes.unflatten(1, x_BFZYX.shape[1:3])


class TwoConvolutions(nn.Module):
    """Two 3-D convolutions, each followed by ReLU."""

    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        self.first = nn.Conv3d(inputs, outputs, 3, padding=1)
        self.second = nn.Conv3d(outputs, outputs, 3, padding=1)
        for layer in (self.first, self.second):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            nn.init.zeros_(layer.bias)  # type: ignore[arg-type]

    def forward(self, x_BFZYX: Tensor) -> Tensor:
        return relu(self.second(relu(self.first(x_BFZYX))))


class Finer(nn.Module):
    """Features of ``coarse`` slices per thick increment to those of ``fine``."""

    def __init__(self, channels: int, coarse: int, fine: int):
        super().__init__()
        self.fine = fine
        ratio = ceil(fine / coarse)
        self.convolve = nn.Conv3d(channels, channels * ratio, 3, padding=1)
        self.fold = Fold((ratio, 1, 1))
        self.cut = ratio - 1  # slices past the last thick one

    def forward(self, x_BFZYX: Tensor, increments: int) -> Tensor:
        finer = self.fold(self.convolve(x_BFZYX))
        return along_z(finer[:, :, : finer.shape[2] - self.cut], increments * self.fine + 1)


class MPUNet(nn.Module):
    """x_B1ZYX of thick slices to native slices."""

    def __init__(self, sizes: Sizes):
        super().__init__()
        s = self.sizes = sizes
        widths = [s.channels * 2**level for level in range(s.levels)]
        self.align = 2 ** (s.levels - 1)
        self.ladder = ladder(s.factor, s.levels - 1)
        self.down = nn.ModuleList(TwoConvolutions(a, b) for a, b in zip([1, *widths], widths))
        coarse_first = widths[::-1]
        self.up = nn.ModuleList(TwoConvolutions(a + b, b) for a, b in pairwise(coarse_first))
        self.finer = nn.ModuleList(
            Finer(width, coarse, fine)
            for width, (coarse, fine) in zip(coarse_first[1:], pairwise([1, *self.ladder]))
        )
        self.draw = nn.ModuleList(nn.Conv3d(width, 1, 3, padding=1) for width in coarse_first[1:])
        for layer in self.draw:
            rest(layer)

    def images(self, x_B1ZYX: Tensor) -> list[Tensor]:
        """The image of every step, coarse ones first, the last of native slices.

        Rows and columns are mirrored to multiples of ``align``; see ``as_images``.
        """
        x_B1ZYX = mirrored(x_B1ZYX, self.align)
        features = [self.down[0](STRETCHED.seen(x_B1ZYX))]
        for block in list(self.down)[1:]:
            features.append(block(halved(features[-1])))
        state, images = features.pop(), []
        for up, finer, draw, fine in zip(self.up, self.finer, self.draw, self.ladder):
            state, skip = doubled(state), features.pop()
            state = up(torch.cat((state, along_z(skip, state.shape[2])), 1))
            state = finer(state, x_B1ZYX.shape[2] - 1)
            thick_B1ZYX = halved(x_B1ZYX, len(features))
            images.append(native(draw(state), thick_B1ZYX, fine, corrects=True))
        return images

    def as_images(self, y_B1NYX: Tensor) -> list[Tensor]:
        """Native slices as each step is to draw them: fewer slices, fewer pixels."""
        y_B1NYX = mirrored(y_B1NYX, self.align)
        increments = (y_B1NYX.shape[2] - 1) // self.sizes.factor
        steps = len(self.ladder)
        return [
            halved(along_z(y_B1NYX, increments * finer + 1), steps - 1 - k)
            for k, finer in enumerate(self.ladder)
        ]

    def forward(self, x_B1ZYX: Tensor) -> Tensor:
        """Grey values to grey values, [B, 1, (Z - 1) * factor + 1, Y, X]."""
        y, x = x_B1ZYX.shape[-2:]
        return self.images(x_B1ZYX)[-1][..., :y, :x]
