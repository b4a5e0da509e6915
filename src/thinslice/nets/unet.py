"""A plain residual 2-D U-Net without normalisation.

Every level has two convolutions with ReLU. The encoder pools averages and doubles the features; the
decoder interpolates bilinearly and concatenates the encoder's features. The mean of the input's
channels is added to the output: with one channel the network corrects a plane, with two it corrects
their mean.

Planes of any size: they are mirrored at their far edges to multiples of ``align``, and cropped
again. Source: the baseline and the fusion network of Uhm et al.'s released code (ACVTT), after
Ronneberger et al. 2015; 64 channels and four levels there.

Shape suffixes: B planes, C channels or features, P and Q a plane's axes.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate, relu

from thinslice.nets.grey import AS_STORED, Grey

LevelTransform = Callable[[int, Tensor], Tensor]  # level, features -> features


class TwoConvolutions(nn.Module):
    """Two 3 x 3 convolutions, each followed by ReLU."""

    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        self.first = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.second = nn.Conv2d(outputs, outputs, 3, padding=1)

    def forward(self, x_BCPQ: Tensor) -> Tensor:
        return relu(self.second(relu(self.first(x_BCPQ))))


class UNet(nn.Module):
    """x_BCPQ of ``inputs`` channels to y_B1PQ of the same size.

    channels   features of the finest level; each level down has twice as many
    levels     of resolution; 1 means no pooling
    grey       how it sees grey values; ``AS_STORED`` in the released code
    """

    def __init__(
        self, channels: int = 64, levels: int = 4, inputs: int = 1, grey: Grey = AS_STORED
    ):
        super().__init__()
        self.grey = grey
        if min(channels, levels, inputs) < 1:
            raise ValueError(f"a U-Net needs at least one of each, found {channels=}, {levels=}")
        self.widths = [channels * 2**level for level in range(levels)]
        self.head = nn.Conv2d(inputs, channels, 3, padding=1)
        into = [channels, *self.widths[:-1]]
        self.down = nn.ModuleList(TwoConvolutions(a, b) for a, b in zip(into, self.widths))
        self.up = nn.ModuleList(
            TwoConvolutions(self.widths[level] + self.widths[level + 1], self.widths[level])
            for level in range(levels - 2, -1, -1)
        )
        self.tail = nn.Conv2d(channels, 1, 3, padding=1)

    @property
    def align(self) -> int:
        """Pixels of the finest level in one of the coarsest, along an axis."""
        return 2 ** (len(self.widths) - 1)

    @property
    def reach(self) -> int:
        """Receptive field, pixels to each side, for pooling cells at the same places."""
        levels = len(self.widths)
        down = sum(2 * 2**level for level in range(levels))
        up = sum(2 * 2**level + 2 ** (level + 1) for level in range(levels - 1))
        return 1 + down + up + 1 + self.align - 1

    def rest(self) -> None:
        """Initialise weights as He et al. 2015, and the last layer so that nothing is corrected."""
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
                if layer.bias is not None:
                    nn.init.zeros_(layer.bias)
        nn.init.zeros_(self.tail.weight)

    def encode(self, x_BCPQ: Tensor) -> list[Tensor]:
        """Features of every level, finest first; sizes must be multiples of ``align``."""
        features = [self.down[0](self.head(self.grey.seen(x_BCPQ)))]
        for block in list(self.down)[1:]:
            features.append(block(avg_pool2d(features[-1], 2)))
        return features

    def decode(self, features: Sequence[Tensor], between: LevelTransform | None = None) -> Tensor:
        """The correction, [B, 1, P, Q].

        between   applied to the features of a level before they go up; level 0 is the finest
        """
        between = between or (lambda level, x_BCPQ: x_BCPQ)
        level = len(features) - 1
        state = between(level, features[level])
        for block in self.up:
            level -= 1
            upsampled = interpolate(state, scale_factor=2, mode="bilinear", align_corners=False)
            state = between(level, block(torch.cat((upsampled, features[level]), 1)))
        return self.grey.correction(self.tail(state))

    def correct(self, x_BCPQ: Tensor) -> Tensor:
        """The correction alone, [B, 1, P, Q], of planes of any size."""
        p, q = x_BCPQ.shape[-2:]
        return self.decode(self.encode(mirrored(x_BCPQ, self.align)))[..., :p, :q]

    def forward(self, x_BCPQ: Tensor) -> Tensor:
        """The mean of the channels plus the correction, at the size of the input."""
        return x_BCPQ.mean(1, keepdim=True) + self.correct(x_BCPQ)


def mirrored(x_BCPQ: Tensor, multiple: int) -> Tensor:
    """Pad planes at their far edges to a multiple, mirrored at the last pixel's centre.

    A plane smaller than its padding is mirrored repeatedly.
    """
    for axis in (-2, -1):
        n = x_BCPQ.shape[axis]
        missing = -n % multiple
        if missing:
            fold = torch.arange(n, n + missing, device=x_BCPQ.device) % max(2 * (n - 1), 1)
            added = x_BCPQ.index_select(axis, torch.minimum(fold, (2 * (n - 1) - fold).abs()))
            x_BCPQ = torch.cat((x_BCPQ, added), axis)
    return x_BCPQ
