"""Transposed convolutions from thick slices to native slices.

Networks for twice as many voxels along all axes end in a transposed convolution of an even width,
whose fine voxels tile the coarse ones. Between slices the fine grid lies on the coarse one (thick
slice i is native slice i * factor), so the width is odd: of a kernel ``span`` thick increments wide
to either side, 2 * span * factor - 1 taps. In-plane it sees three pixels and keeps their number.

Shape suffixes: B batch, C channels, Z slices, Y X in-plane.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn

Triple = tuple[int, int, int]


class Deconvolution(NamedTuple):
    """Kernel, stride and padding of a transposed convolution along z, y and x."""

    kernel: Triple
    stride: Triple
    padding: Triple

    def layer(self, inputs: int, bias: bool = True) -> nn.ConvTranspose3d:
        """The transposed convolution from ``inputs`` channels to one."""
        return SampleBySample(inputs, 1, self.kernel, self.stride, self.padding, bias=bias)


class SampleBySample(nn.ConvTranspose3d):
    """A transposed convolution of one sample of a batch after another, on a CPU.

    torch 2.13 on CPUs writes beyond its memory in the backward pass of kernels as wide as these for
    batches of two and more, and crashes or, worse, does not; one sample at a time is right.
    """

    def forward(self, x_BCZYX: Tensor, output_size: list[int] | None = None) -> Tensor:
        if x_BCZYX.device.type != "cpu" or len(x_BCZYX) == 1:
            return super().forward(x_BCZYX, output_size)
        return torch.cat(
            [super(SampleBySample, self).forward(sample) for sample in x_BCZYX.split(1)]
        )


def to_native(factor: int, span: int = 1) -> Deconvolution:
    """From ``n`` thick slices to (n - 1) * factor + 1 native ones."""
    reach = span * factor - 1
    return Deconvolution((2 * reach + 1, 3, 3), (factor, 1, 1), (reach, 1, 1))


def linear_kernel(upsampling: Deconvolution) -> Tensor:
    """The kernel, [kz, ky, kx], by which ``to_native`` interpolates linearly along z."""
    (taps, rows, columns), factor = upsampling.kernel, upsampling.stride[0]
    distance = (torch.arange(taps) - taps // 2).abs()
    kernel = torch.zeros(upsampling.kernel)
    kernel[:, rows // 2, columns // 2] = (1 - distance / factor).clamp(min=0)
    return kernel


def check_depth(x_B1ZYX: Tensor, depth: int) -> None:
    """Refuse cubes of another number of thick slices; ValueError."""
    if x_B1ZYX.shape[2] != depth:
        raise ValueError(f"built for {depth} thick slices, found {x_B1ZYX.shape[2]}")
