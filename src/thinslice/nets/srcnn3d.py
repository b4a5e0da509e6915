"""SRCNN3D: three convolutions correct an interpolated cube.

Kernels of 9, 1 and 5 voxels, no biases, a ReLU after each, the last included.

Source: Pham et al., "Brain MRI super-resolution using deep 3D convolutional networks", ISBI 2017,
as in the code of MFER's authors (whose is the last ReLU); written anew from a description, and
compared with theirs by tests. First weights are ours: one feature carries the grey value and the
last layer reads no other, so that an untrained network changes nothing. That ReLU is why: nothing
would be learned from an answer that starts below zero.

Shape suffixes: B batch, Z slices, Y X in-plane.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import relu

from thinslice.nets.eddsr import carry

KERNELS = (9, 1, 5)
GAIN = 10.0  # what the network sees a grey value times; contrasts of 0.01 else hardly count


class SRCNN3D(nn.Module):
    """x_B1ZYX to a corrected cube of the same size, both in [0, 1] units."""

    reach = sum(k // 2 for k in KERNELS)  # voxels that it sees to each side

    def __init__(self, channels: int = 64, gain: float = GAIN):
        super().__init__()
        self.gain = gain
        widths = (1, channels, channels // 2, 1)
        self.layers = nn.ModuleList(
            nn.Conv3d(a, b, k, padding=k // 2, bias=False)
            for a, b, k in zip(widths, widths[1:], KERNELS)
        )
        with torch.no_grad():
            for layer in self.layers:
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")  # type: ignore[arg-type]
                carry(layer.weight, 0, 0, 1.0)  # type: ignore[arg-type]

    def forward(self, x_B1ZYX: Tensor) -> Tensor:
        state = x_B1ZYX * self.gain
        for layer in self.layers:
            state = relu(layer(state))
        return state / self.gain
