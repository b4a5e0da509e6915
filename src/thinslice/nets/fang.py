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
OUTER = 2  # gaps at either end of training rows in which interpolation lacks neighbours
NEIGHBOURS = 4  # of these, that the axial network sees beside what it corrects


def _lanczos3(x: float) -> float:
    return sin(pi * x) / (pi * x) * sin(pi * x / 3) / (pi * x / 3)


TAPS = [_lanczos3(x) / sum(map(_lanczos3, AT)) for x in AT]


class ThreeViews(nn.Module):
    """x_B1ZYX to the slices that there are and those halfway between, y_B1NYX, by all views."""

    def __init__(self, blocks: int, channels: int):
        super().__init__()
        self.axial = EDSR(blocks, channels, inputs=1 + NEIGHBOURS)
        self.coronal = EDSR(blocks, channels)
        self.sagittal = EDSR(blocks, channels)

    def forward(self, x_B1ZYX: Tensor) -> Tensor:
        axial, coronal, sagittal = self.views(x_B1ZYX)
        through_B1NYX = (coronal + sagittal) / 2
        between_B1MYX = (axial + 2 * through_B1NYX[:, :, 1::2]) / 3
        return interleaved(through_B1NYX[:, :, ::2], between_B1MYX)

    def views(self, x_B1ZYX: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Slices between by the axial network; all slices by the coronal and the sagittal one."""
        finer_B1NYX = interleaved(x_B1ZYX, midpoints(x_B1ZYX))
        coronal = _each(self.coronal, finer_B1NYX.permute(0, 3, 1, 2, 4)).permute(0, 2, 3, 1, 4)
        sagittal = _each(self.sagittal, finer_B1NYX.permute(0, 4, 1, 2, 3)).permute(0, 2, 3, 4, 1)
        return self.between(x_B1ZYX), coronal, sagittal

    def between(self, x_B1ZYX: Tensor) -> Tensor:
        """The slices between by the axial network, y_B1MYX."""
        around_BMCYX = nearest(x_B1ZYX, NEIGHBOURS)[:, 0]
        seen_BMCYX = torch.cat((midpoints(x_B1ZYX).transpose(1, 2), around_BMCYX), 2)
        return _each(self.axial, seen_BMCYX).transpose(1, 2)

    def planes(self, x_B1ZW: Tensor, along: int) -> Tensor:
        """Rows that there are and those between, of axial slices made coarse along y (0), x (1)."""
        x_B1ZW1 = x_B1ZW[..., None]
        finer_B1NW = interleaved(x_B1ZW1, midpoints(x_B1ZW1))[..., 0]
        return (self.coronal, self.sagittal)[along](finer_B1NW)


class Rounds(nn.ModuleList):
    """``ThreeViews`` for each halving of the slices' distance, one after the other."""

    def closer(self, x_B1ZYX: Tensor) -> Tensor:
        """Slices after all rounds; after each, of the middle ones as many as there were."""
        depth = x_B1ZYX.shape[2]
        for views in self:
            x_B1ZYX = views(x_B1ZYX)
            x_B1ZYX = x_B1ZYX[:, :, (x_B1ZYX.shape[2] - depth) // 2 :][:, :, :depth]
        return x_B1ZYX


class NextRound(nn.Module):
    """A round that is learned, after those before it, which learn no more."""

    def __init__(self, before: Rounds, views: ThreeViews):
        super().__init__()
        self.before, self.views = before.requires_grad_(False), views

    def planes(self, x_B1ZW: Tensor, along: int) -> Tensor:
        """Axial slices made coarse along y (0) or x (1), after all rounds, y_B1NW."""
        with torch.no_grad():
            for views in self.before:
                assert isinstance(views, ThreeViews)
                x_B1ZW = views.planes(x_B1ZW, along)
        return self.views.planes(x_B1ZW, along)

    def forward(self, along_y_B1ZW: Tensor, along_x_B1ZW: Tensor) -> Tensor:
        """Fine rows of both with enough around them, in one line."""
        made = [
            inside(self.planes(x, along), x.shape[2])
            for along, x in enumerate((along_y_B1ZW, along_x_B1ZW))
        ]
        return torch.cat([y_B1NW.flatten(1) for y_B1NW in made], 1)


def inside(fine_B1NW: Tensor, coarse: int) -> Tensor:
    """Fine rows without those of the outer gaps between so many coarse ones, if gaps are left."""
    gaps = max(0, min(OUTER, coarse // 2 - 1))
    edge = gaps * ((fine_B1NW.shape[2] - 1) // (coarse - 1))
    return fine_B1NW[:, :, edge : fine_B1NW.shape[2] - edge]


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
