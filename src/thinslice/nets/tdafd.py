"""TDAFD: features are distilled at several scales and attended to; two transformers see far.

    module       three times half of the features is kept as it is, by a 1 x 1 convolution, and all
                 go on through three branches added up: 3x3x3, the same of dilation 2, and in-plane
                 then through-plane; what was kept is fused, weighed by channel and by place, and
                 added to what came in
    transformer  one layer of attention in windows of voxels, run ``times`` times with the same
                 weights, every second time in windows shifted by half of one
    order        half of the modules, a transformer, the other half, a transformer; a skip over all

Source: Zhao et al., "A lightweight 3D distillation volumetric transformer for 3D MRI
super-resolution", IEEE JBHI 2025, from its abstract: dual-attention feature-distillation modules
(multi-scale distillation, then dual attention) and two recursive volumetric transformers. Ours:
all sizes, what a module is made of (distillation after Hui et al., IMDN, 2019), windows, the order,
z alone made finer by a sub-pixel convolution, and that linear interpolation is corrected by nothing
before training.

Channel attention looks at the whole cube, so an answer depends on the tile that it is in.

Shape suffixes: B batch, F features, Z thick slices, N native slices, Y X in-plane.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu, pad

from thinslice.nets.along_z import convolution, finer, native, rest
from thinslice.nets.grey import STRETCHED
from thinslice.nets.swin import SwinBlock
from thinslice.nets.windowed_block import windowed_block
from thinslice.nets.windows import whole, windows_of

SLOPE = 0.05  # of a leaky ReLU below zero
REDUCTION = 4  # of features to hidden units in the channel attention
DISTILLED = 3  # times that half of the features is kept


@dataclass(frozen=True)
class Sizes:
    """What shapes the network."""

    factor: int = 5  # native slices per thick increment
    channels: int = 32
    modules: int = 4
    heads: int = 4  # of every attention
    window: tuple[int, int, int] = (2, 8, 8)  # voxels along z, y and x that attend to each other
    times: int = 2  # that a transformer is run

    def __post_init__(self) -> None:
        if self.modules < 2 or self.modules % 2 or self.channels % 2:
            raise ValueError(f"modules and channels are halved, found {self}")


class MultiScale(nn.Module):
    """Three branches added up: what is near, what is farther, and planes then lines."""

    def __init__(self, channels: int):
        super().__init__()
        self.near = nn.Conv3d(channels, channels, 3, padding=1)
        self.far = nn.Conv3d(channels, channels, 3, padding=2, dilation=2)
        self.plane = nn.Conv3d(channels, channels, (1, 3, 3), padding=(0, 1, 1))
        self.line = nn.Conv3d(channels, channels, (3, 1, 1), padding=(1, 0, 0))

    def forward(self, x_BFZYX: Tensor) -> Tensor:
        return self.near(x_BFZYX) + self.far(x_BFZYX) + self.line(self.plane(x_BFZYX))


class DualAttention(nn.Module):
    """Features weighed by channel, then by place."""

    def __init__(self, channels: int):
        super().__init__()
        hidden = max(channels // REDUCTION, 2)
        self.squeeze = nn.Conv3d(channels, hidden, 1)
        self.expand = nn.Conv3d(hidden, channels, 1)
        self.place = convolution(3, 2, 1)

    def forward(self, x_BFZYX: Tensor) -> Tensor:
        pooled = leaky_relu(self.squeeze(x_BFZYX.mean((2, 3, 4), keepdim=True)), SLOPE)
        x_BFZYX = x_BFZYX * self.expand(pooled).sigmoid()
        both = torch.cat((x_BFZYX.mean(1, keepdim=True), x_BFZYX.amax(1, keepdim=True)), 1)
        return x_BFZYX * self.place(both).sigmoid()


class Distillation(nn.Module):
    """x + what was kept of its features on the way, attended to."""

    def __init__(self, channels: int):
        super().__init__()
        self.keep = nn.ModuleList(
            convolution(3, channels, channels // 2, 1) for _ in range(DISTILLED)
        )
        self.go_on = nn.ModuleList(MultiScale(channels) for _ in range(DISTILLED))
        self.last = convolution(3, channels, channels // 2)
        self.fuse = convolution(3, (DISTILLED + 1) * (channels // 2), channels, 1)
        self.attend = DualAttention(channels)

    def forward(self, x_BFZYX: Tensor) -> Tensor:
        state, kept = x_BFZYX, []
        for keep, go_on in zip(self.keep, self.go_on):
            kept.append(leaky_relu(keep(state), SLOPE))
            state = leaky_relu(go_on(state) + state, SLOPE)
        kept.append(leaky_relu(self.last(state), SLOPE))
        return x_BFZYX + self.attend(self.fuse(torch.cat(kept, 1)))


class RecursiveTransformer(nn.Module):
    """One layer of attention in windows of voxels, run several times."""

    def __init__(self, s: Sizes):
        super().__init__()
        self.window, self.times = s.window, s.times
        self.layer = SwinBlock(s.channels, s.heads, s.window, (0, 0, 0))
        for layer in (self.layer.qkv, self.layer.fc1):  # Swin's are for widths of 96 and more
            nn.init.trunc_normal_(layer.weight, std=layer.in_features**-0.5)

    def forward(self, x_BFZYX: Tensor) -> Tensor:
        real = tuple(x_BFZYX.shape[2:])
        z, y, x = (whole(n, w) - n for n, w in zip(real, self.window))
        x_BZYXF = pad(x_BFZYX, (0, x, 0, y, 0, z)).movedim(1, -1)
        state = x_BZYXF.flatten(1, 2).contiguous()  # the order of the tokens is all that counts
        layer, half = self.layer, tuple(n // 2 for n in self.window)
        for k in range(self.times):
            shift = half if k % 2 else (0, 0, 0)
            windows = windows_of(real, self.window, shift, state.device)
            state = windowed_block(
                state, layer.bias_HTT(), windows, layer.weights(), None, layer.room
            )
        return state.view(x_BZYXF.shape).movedim(-1, 1)[:, :, : real[0], : real[1], : real[2]]


class TDAFD(nn.Module):
    """x_B1ZYX of thick slices to native slices."""

    sees_whole_tile = True  # its channel attention does

    def __init__(self, sizes: Sizes):
        super().__init__()
        s = self.sizes = sizes
        self.first = convolution(3, 1, s.channels)
        half = s.modules // 2
        self.body = nn.Sequential(
            *(Distillation(s.channels) for _ in range(half)),
            RecursiveTransformer(s),
            *(Distillation(s.channels) for _ in range(half)),
            RecursiveTransformer(s),
            convolution(3, s.channels, s.channels),
        )
        self.finer = finer(3, s.channels, s.factor)
        self.last = convolution(3, s.channels, 1)
        rest(self.last)

    def forward(self, x_B1ZYX: Tensor) -> Tensor:
        """Grey values to grey values, [B, 1, (Z - 1) * factor + 1, Y, X]."""
        first_BFZYX = self.first(STRETCHED.seen(x_B1ZYX))
        made_B1NYX = self.last(self.finer(first_BFZYX + self.body(first_BFZYX)))
        return native(made_B1NYX, x_B1ZYX, self.sizes.factor, corrects=True)
