"""A score model of what a coarse answer lacks, axial slice by axial slice.

Noisy slices are the coarse ones plus what they lack plus noise. The denoiser is shown what is above
the coarse slice, that slice, stretched, and how the slices beside it and those of the interpolated
scan differ from it, in units of what it lacks: stretched like the slice itself, such differences
are a tenth of the noise beside them, and were not learned from. It is told the slice's phase: how
far it lies from one thick slice to the next.

Shape suffixes: B slices, C a coarse slice and its neighbours in order, the same of the interpolated
scan, then the phase all over the slice, Y X.
"""

import torch
from torch import Tensor, nn

from thinslice.nets.denoiser import Denoiser
from thinslice.nets.grey import STRETCHED
from thinslice.nets.score_unet import ScoreUNet

APART = 2.0  # by how much slices differ where the network sees a 1, in units of what is lacking


class RefinedSlices(nn.Module):
    """noisy_B1YX, known_BCYX and noise levels [B] to denoised_B1YX; any size."""

    def __init__(self, channels: int = 64, levels: int = 4, neighbours: int = 1):
        super().__init__()
        if neighbours < 0:
            raise ValueError(f"neighbours are 0 or more, found {neighbours}")
        self.neighbours = neighbours
        self.denoiser = Denoiser(ScoreUNet(2, 3 + 4 * neighbours, 1, channels, levels, True))

    @property
    def align(self) -> int:
        """Sizes are multiples of it."""
        return self.denoiser.net.align

    @property
    def reach(self) -> int:
        """Receptive field, pixels to each side."""
        return self.denoiser.net.reach

    def forward(self, noisy_B1YX: Tensor, known_BCYX: Tensor, level_B: Tensor) -> Tensor:
        n = self.neighbours
        slices_BCYX, phase_B = known_BCYX[:, :-1], known_BCYX[:, -1, 0, 0]
        middle = slices_BCYX[:, n : n + 1]
        others = torch.cat((slices_BCYX[:, :n], slices_BCYX[:, n + 1 :]), 1)
        apart = (others - middle) / (APART * self.denoiser.scale)
        seen = torch.cat((STRETCHED.seen(middle), apart), 1)
        return middle + self.denoiser(noisy_B1YX - middle, level_B, seen, phase_B)


class AtLevel(nn.Module):
    """The same for one noise level: noisy, coarse, interpolated slices, phases, and neighbours'."""

    def __init__(self, net: RefinedSlices, level: float):
        super().__init__()
        self.net, self.level = net, level

    def forward(self, x_BCYX: Tensor) -> Tensor:
        level_B = torch.full((len(x_BCYX),), self.level, device=x_BCYX.device)
        n = self.net.neighbours
        each = x_BCYX.split(2 * n + 1, 1)  # of four scans
        known = torch.cat((each[1], each[2], each[3][:, n : n + 1]), 1)
        return self.net(each[0][:, n : n + 1], known, level_B)
