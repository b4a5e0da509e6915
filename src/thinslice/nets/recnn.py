"""ReCNN: a deep residual network that corrects an interpolated cube.

Twenty 3x3x3 convolutions of 64 features without biases, a ReLU after each but the last, whose
answer is added to the input.

Source: Pham et al., "Multiscale brain MRI super-resolution using deep 3D convolutional networks",
Computerized Medical Imaging and Graphics 2019, as in the code of MFER's authors; written anew from
a description, and compared with theirs by tests. Ours: grey values are stretched (``nets.grey``)
and the last layer starts at zero, so that an untrained network changes nothing.

Shape suffixes: B batch, Z slices, Y X in-plane.
"""

from torch import Tensor, nn
from torch.nn.functional import relu

from thinslice.nets.eddsr import convolution
from thinslice.nets.grey import STRETCHED, Grey


class ReCNN(nn.Module):
    """x_B1ZYX to a corrected cube of the same size, both in [0, 1] units."""

    def __init__(self, layers: int = 20, channels: int = 64, grey: Grey = STRETCHED):
        super().__init__()
        self.grey = grey
        self.reach = layers  # voxels that it sees to each side
        inputs = [1, *[channels] * (layers - 2)]
        self.body = nn.ModuleList(convolution(n, channels) for n in inputs)
        self.last = convolution(channels, 1)
        for layer in self.body:
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")  # type: ignore[arg-type]
        nn.init.zeros_(self.last.weight)

    def forward(self, x_B1ZYX: Tensor) -> Tensor:
        state = self.grey.seen(x_B1ZYX)
        for layer in self.body:
            state = relu(layer(state))
        return x_B1ZYX + self.grey.correction(self.last(state))
