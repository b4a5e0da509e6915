"""Three networks of three views find the slices halfway between those there are.

One sees axial slices, two to either side of the slice that it makes; one sees coronal planes, one
sagittal ones, interpolated to twice as many rows. Each corrects the same interpolation (a windowed
sinc of six slices), so that untrained all three agree.

Source: Fang et al., "Incremental cross-view mutual distillation for self-supervised medical CT
synthesis", CVPR 2022, of which we know the abstract: slices from the axial view, pixels from the
coronal and the sagittal one. Ours: that all three are residual networks (``nets.edsr``), their
sizes, and what they correct.

Shape suffixes: B blocks, C channels, Z slices that there are, M those halfway between, N both, Y X
in-plane.
"""

from math import pi, sin

import torch
from torch import Tensor, nn

from thinslice.nets.edsr import EDSR

AT = (2.5, 1.5, 0.5, 0.5, 1.5, 2.5)  # slices from the six around it to the one halfway
NEIGHBOURS = 4  # of these, that the axial network sees beside what it corrects


def _lanczos3(x: float) -> float:
    return sin(pi * x) / (pi * x) * sin(pi * x / 3) / (pi * x / 3)


TAPS = [_lanczos3(x) / sum(map(_lanczos3, AT)) for x in AT]


class ThreeViews(nn.Module):
    """x_B1ZYX to the slices halfway between, y_B1MYX: the mean of the views."""

    def __init__(self, blocks: int, channels: int):
        super().__init__()
        self.axial = EDSR(blocks, channels, inputs=1 + NEIGHBOURS)
        self.coronal = EDSR(blocks, channels)
        self.sagittal = EDSR(blocks, channels)

    def forward(self, x_B1ZYX: Tensor) -> Tensor:
        return torch.stack(self.views(x_B1ZYX)).mean(0)

    def doubled(self, x_B1ZYX: Tensor, share: float = 1.0) -> Tensor:
        """The slices that there are and those between, y_B1NYX, ``share`` of what it changes."""
        return interleaved(x_B1ZYX, torch.lerp(midpoints(x_B1ZYX), self(x_B1ZYX), share))

    def views(self, x_B1ZYX: Tensor) -> list[Tensor]:
        """The answers of the axial, the coronal and the sagittal network."""
        start_B1MYX = midpoints(x_B1ZYX)
        finer_B1NYX = interleaved(x_B1ZYX, start_B1MYX)
        coronal = _each(self.coronal, finer_B1NYX.permute(0, 3, 1, 2, 4)).permute(0, 2, 3, 1, 4)
        sagittal = _each(self.sagittal, finer_B1NYX.permute(0, 4, 1, 2, 3)).permute(0, 2, 3, 4, 1)
        around_BMCYX = nearest(x_B1ZYX, NEIGHBOURS)[:, 0]
        seen_BMCYX = torch.cat((start_B1MYX.transpose(1, 2), around_BMCYX), 2)
        axial = _each(self.axial, seen_BMCYX).transpose(1, 2)
        return [axial, coronal[:, :, 1::2], sagittal[:, :, 1::2]]


def midpoints(x_B1ZYX: Tensor) -> Tensor:
    """The slices halfway between, interpolated; beyond the ends the block is mirrored."""
    taps = x_B1ZYX.new_tensor(TAPS)
    return torch.einsum("bczkyx,k->bczyx", nearest(x_B1ZYX, len(TAPS)), taps)


def nearest(x_B1ZYX: Tensor, n: int) -> Tensor:
    """The ``n`` slices around each place halfway between two, [B, 1, M, n, Y, X]."""
    last = x_B1ZYX.shape[2] - 1
    at = torch.arange(last)[:, None] + torch.arange(1 - n // 2, n // 2 + 1)
    folded = at % (2 * last)
    return x_B1ZYX[:, :, torch.minimum(folded, 2 * last - folded)]


def interleaved(x_B1ZYX: Tensor, between_B1MYX: Tensor) -> Tensor:
    """Slices in order, those halfway between two where they belong."""
    first = torch.stack((x_B1ZYX[:, :, :-1], between_B1MYX), 3).flatten(2, 3)
    return torch.cat((first, x_B1ZYX[:, :, -1:]), 2)


def _each(net: nn.Module, x_BPCVW: Tensor) -> Tensor:
    """Every plane P of every block through ``net``, [B, P, 1, V, W]."""
    return net(x_BPCVW.flatten(0, 1)).unflatten(0, x_BPCVW.shape[:2])
