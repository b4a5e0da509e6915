"""ResCNN: runs of 3-D convolutions, each with a skip, correct an interpolated cube.

A convolution, three runs of six 3x3x3 convolutions of 64 features with a ReLU after each and a skip
over the run, a last convolution, and the input added.

Source: Du et al., "Super-resolution reconstruction of single anisotropic 3D MR images using
residual convolutional neural network", Neurocomputing 2020, as ArSSR's authors have it for one of
their encoders (``nets.arssr_encoders``, which tests compare with theirs). Ours: one feature comes
out, grey values are stretched (``nets.grey``), and the last layer starts at zero, so that an
untrained network changes nothing.

Shape suffixes: B batch, Z slices, Y X in-plane.
"""

from torch import Tensor, nn

from thinslice.nets.arssr_encoders import ResCNNEncoder
from thinslice.nets.grey import STRETCHED


class ResCNN(nn.Module):
    """x_B1ZYX to a corrected cube of the same size, both in [0, 1] units."""

    def __init__(self, runs: int = 3, layers: int = 6, channels: int = 64):
        super().__init__()
        self.reach = runs * layers + 2  # voxels that it sees to each side
        self.net = ResCNNEncoder(runs, layers, channels, features=1)
        for layer in self.net.modules():
            if isinstance(layer, nn.Conv3d):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
                nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
        nn.init.zeros_(self.net.last.weight)  # type: ignore[arg-type]

    def forward(self, x_B1ZYX: Tensor) -> Tensor:
        seen = STRETCHED.seen(x_B1ZYX)
        return x_B1ZYX + STRETCHED.correction(self.net(seen) - seen)
