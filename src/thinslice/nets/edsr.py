"""EDSR: a small residual network that corrects a plane interpolated to the fine grid.

Convolutions and ReLU alone, no batch normalisation, residual blocks and one long skip, after EDSR
(Lim et al. 2017, "Enhanced deep residual networks for single image super-resolution"). Differs:
no up-sampling layer, since the plane comes interpolated, so that any increment and phase will do;
five blocks of 32 channels (its baseline has 16 of 64); grey values are stretched (``nets.grey``),
where theirs, of 0 to 255, have their mean taken off; the last layer starts at zero, so that an
untrained network changes nothing.

Shape suffixes: B planes, C channels or features, Z slices, W columns or rows.
"""

from torch import Tensor, nn

from thinslice.nets.grey import STRETCHED


class ResidualBlock(nn.Module):
    """x + convolution(ReLU(convolution(x)))."""

    def __init__(self, channels: int):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(channels, channels, 3, padding=1),
        )

    def forward(self, x_BCZW: Tensor) -> Tensor:
        return x_BCZW + self.body(x_BCZW)


class EDSR(nn.Module):
    """x_BCZW to a plane y_B1ZW of the same size: the first channel, corrected."""

    def __init__(self, blocks: int = 5, channels: int = 32, inputs: int = 1):
        super().__init__()
        self.reach = 2 + 2 * blocks  # receptive field, pixels to each side
        self.head = nn.Conv2d(inputs, channels, 3, padding=1)
        self.body = nn.Sequential(*(ResidualBlock(channels) for _ in range(blocks)))
        self.tail = nn.Conv2d(channels, 1, 3, padding=1)
        nn.init.zeros_(self.tail.weight)
        nn.init.zeros_(self.tail.bias)  # type: ignore[arg-type]

    def forward(self, x_BCZW: Tensor) -> Tensor:
        shallow_BCZW = self.head(STRETCHED.seen(x_BCZW))
        correction_B1ZW = self.tail(shallow_BCZW + self.body(shallow_BCZW))
        return x_BCZW[:, :1] + STRETCHED.correction(correction_B1ZW)
