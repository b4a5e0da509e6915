"""A U-Net that corrects a plane, with the planes beside it in sight.

Channels are a plane and its ``neighbours`` to either side, in order; the middle one is corrected.
Without neighbours it is a 2-D network, with them a 2.5-D one: it tells a vessel that runs across
the plane from noise, at the cost of a larger first layer alone. The body is ``nets.unet``, which
starts at rest, so that an untrained network returns the middle plane.

Shape suffixes: B planes, C channels (2 * neighbours + 1), Z slices, W columns or rows.
"""

from torch import Tensor, nn

from thinslice.nets.grey import STRETCHED
from thinslice.nets.unet import UNet


class PlaneUNet(nn.Module):
    """x_BCZW to y_B1ZW, the middle channel corrected; any size."""

    def __init__(self, channels: int = 16, levels: int = 3, neighbours: int = 0):
        super().__init__()
        if neighbours < 0:
            raise ValueError(f"neighbours are 0 or more, found {neighbours}")
        self.neighbours = neighbours
        self.unet = UNet(channels, levels, inputs=2 * neighbours + 1, grey=STRETCHED)
        self.unet.rest()

    @property
    def align(self) -> int:
        """Tiles start at multiples of it."""
        return self.unet.align

    @property
    def reach(self) -> int:
        """Receptive field, pixels to each side."""
        return self.unet.reach

    def forward(self, x_BCZW: Tensor) -> Tensor:
        middle = slice(self.neighbours, self.neighbours + 1)
        return x_BCZW[:, middle] + self.unet.correct(x_BCZW)
