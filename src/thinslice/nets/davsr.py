"""DA-VSR: SAINT's features with one head for coarse planes and one for axial slices made coarse.

Both heads turn distances in mm into kernels (``nets.saint``), over the same features. What the
features learn of a scan's axial slices, through one head, the other one restores planes with.

Source: Peng et al., "DA-VSR: domain adaptable volumetric super-resolution for medical images",
MICCAI 2021, of which we know the abstract: one network for features, a head for each kind of plane.
Ours: that both are SAINT's, and that an untrained network is linear interpolation.

Shape suffixes: B planes, C channels, K slices per thick increment, Z slices or coarse rows, W
columns, P and Q the axes of any plane.
"""

import copy

from torch import Tensor, nn

from thinslice.nets.saint import VIEWS, Dense, SpacedPlanes


class TwoHeads(SpacedPlanes):
    """``SpacedPlanes``, and ``in_plane``, the same for axial slices with a head of their own."""

    def __init__(self, sizes: Dense = VIEWS, neighbours: int = 1):
        super().__init__(sizes, neighbours, start="linear")
        self.kernel_in_plane = copy.deepcopy(self.kernel)

    def in_plane(self, x_BCZW: Tensor, distances_BKPQ: Tensor) -> Tensor:
        """K fine rows of an axial slice from every coarse one on, y_BKZW."""
        return self.answered_by(self.kernel_in_plane, x_BCZW, distances_BKPQ)

    def only_features_learn(self) -> None:
        """From here on no head learns."""
        self.requires_grad_(False)
        self.trunk.requires_grad_(True)


class InPlane(nn.Module):
    """A network by its head for axial slices."""

    def __init__(self, net: TwoHeads):
        super().__init__()
        self.net = net

    def forward(self, x_BCZW: Tensor, distances_BKPQ: Tensor) -> Tensor:
        return self.net.in_plane(x_BCZW, distances_BKPQ)
