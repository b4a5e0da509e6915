"""SCSR and MCSR: a plane is corrected alone, then with a finer plane of another contrast.

Each of two convolutional networks adds to what it is shown what that lacks. The first sees the
interpolated plane; the second sees the first one's answer beside the same plane of another
contrast, which is fine already.

Source: Zeng et al., "Simultaneous single- and multi-contrast super-resolution for brain MRI images
based on a convolutional neural network", Computers in Biology and Medicine 2018, of which we know
the abstract. Ours: that both are residual networks (``nets.edsr``), and all sizes. Their last
layers start at zero, so that an untrained network changes nothing.

Shape suffixes: B planes, C channels, P and Q the axes of a plane.
"""

import torch
from torch import Tensor, nn

from thinslice.nets.edsr import EDSR


class SCSR(EDSR):
    """x_B1PQ to a corrected plane of the same size."""

    def __init__(self, blocks: int = 8, channels: int = 64):
        super().__init__(blocks, channels)


class MCSR(nn.Module):
    """x_B2PQ, the interpolated plane and the other contrast's, to a corrected plane y_B1PQ."""

    def __init__(self, blocks: int = 8, channels: int = 64):
        super().__init__()
        self.single = SCSR(blocks, channels)
        self.both = EDSR(blocks, channels, inputs=2)
        self.reach = self.single.reach + self.both.reach

    def forward(self, x_B2PQ: Tensor) -> Tensor:
        return self.answers(x_B2PQ)[1]

    def answers(self, x_B2PQ: Tensor) -> tuple[Tensor, Tensor]:
        """What the plane alone makes, and then both contrasts."""
        alone_B1PQ = self.single(x_B2PQ[:, :1])
        return alone_B1PQ, self.both(torch.cat((alone_B1PQ, x_B2PQ[:, 1:]), 1))
