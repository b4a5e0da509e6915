"""Mixed-scale dense network (MS-D): a hundred tiny dilated layers, each over all maps before it.

Every layer is one 3x3 convolution with one (or ``width``) output maps and a ReLU; dilations cycle
through 1 to 10, which gives a narrow network a wide receptive field. A last 1x1 layer weighs the
input and all maps. Borders are half-sample symmetric. Two frozen affine maps bring the input to
zero mean and unit standard deviation, and the output back. 100 layers of width 1 have 45,652
weights.

Source: Pelt and Sethian 2018 (PNAS 115, 254), and the PyTorch network that SR4ZCT uses
(ahendriksen/msd_pytorch): its initialisation, padding and order of maps. Differs: how it is
computed (``nets.dense_dilated``), on CPU as on GPU, up to rounding.

Shape suffixes: B planes, 1 channel, H rows, W columns.
"""

import math

import torch
from torch import Tensor, nn

from thinslice.errors import Refused
from thinslice.nets.dense_dilated import Shape, dense


class MSD(nn.Module):
    """x_B1HW to y_B1HW of the same size; any size.

    Untrained it returns ``shift_out``: the last layer starts at zero, as the source's does.
    """

    def __init__(self, depth: int = 100, width: int = 1, dilations: int = 10):
        super().__init__()
        if min(depth, width, dilations) < 1:
            raise ValueError(
                f"depth, width and dilations start at 1, found {depth}, {width}, {dilations}"
            )
        self.shape = Shape(depth, width, dilations)
        self.reach = sum(i % dilations + 1 for i in range(depth))  # pixels to each side
        maps = self.shape.maps(depth)
        std = math.sqrt(2 / (9 * (1 + width * (depth - 1)) + 1))
        self.taps = nn.Parameter(torch.randn(self.shape.taps()) * std)
        self.bias = nn.Parameter(torch.zeros(depth * width))
        self.last = nn.Parameter(torch.zeros(maps))
        self.last_bias = nn.Parameter(torch.zeros(1))
        self.scale_in: Tensor
        self.shift_in: Tensor
        self.scale_out: Tensor
        self.shift_out: Tensor
        for name, value in (("scale", 1.0), ("shift", 0.0)):
            self.register_buffer(f"{name}_in", torch.tensor(value))
            self.register_buffer(f"{name}_out", torch.tensor(value))

    def normalise(self, *, mean: tuple[float, float], std: tuple[float, float]) -> None:
        """Set the affine maps from means and standard deviations of (input, target) images.

        ValueError where a standard deviation is not positive.
        """
        if min(std) <= 0:
            raise Refused(f"images without any contrast cannot be normalised: std {std}")
        self.scale_in.fill_(1 / std[0])
        self.shift_in.fill_(-mean[0] / std[0])
        self.scale_out.fill_(std[1])
        self.shift_out.fill_(mean[1])

    def start_from_input(self) -> None:
        """Make the untrained network return its input; call it after ``normalise``."""
        with torch.no_grad():
            self.last[0] = 1 / (self.scale_in * self.scale_out)
            self.last_bias.fill_(-self.shift_out / self.scale_out - self.last[0] * self.shift_in)

    def forward(self, x_B1HW: Tensor) -> Tensor:
        x_BHW = (x_B1HW[:, 0] * self.scale_in + self.shift_in).contiguous()
        y_BHW = dense(x_BHW, self.taps, self.bias, self.last, self.shape) + self.last_bias
        return (y_BHW * self.scale_out + self.shift_out)[:, None]
