"""Meta-SR: an RDN whose last convolution is made anew for every position asked for.

RDN's trunk makes features of a thick plane. For each row of the answer a small network turns its
offset from the thick slice below it, and the increment asked for, into the weights of a 3 x 3
convolution of the features around that slice: any increment and phase, one network.

Source: Hu et al., "Meta-SR: a magnification-arbitrary network for super-resolution", CVPR 2019, and
its code; written from a description; tests compare trunk, weights and their use with the authors'
outputs. Differs: z alone grows, so the third number of a position, the column's offset, is always
0; one grey value for three colours, moved and stretched (``nets.grey``) where the authors take off
the mean colour.

Shape suffixes: B batch, F features, K entries of a patch (F * 9), C colours, P positions, N slices
asked for, Z thick slices, W columns.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import unfold

from thinslice.nets.along_z import linear_at, rest
from thinslice.nets.grey import STRETCHED
from thinslice.nets.rdn import Trunk

SIDE = 3  # of the convolution whose weights are made
ON_A_SLICE = 1e-4  # of a thick increment: positions this close below a slice lie on it
ROWS = 8  # of the answer made at once, so that patches take little memory


@dataclass(frozen=True)
class Sizes:
    """What shapes the network; the defaults are the authors'."""

    blocks: int = 16  # D
    layers: int = 8  # C, convolutions of a block
    growth: int = 64  # G, features that each adds
    features: int = 64  # G0
    hidden: int = 256  # of the network that makes weights
    corrects: bool = False  # what is made is added to linear interpolation


class MetaWeights(nn.Module):
    """Positions (increment, row offset, column offset) to weights of a convolution."""

    def __init__(self, features: int, colours: int, hidden: int):
        super().__init__()
        self.colours = colours
        self.layers = nn.Sequential(
            nn.Linear(3, hidden), nn.ReLU(), nn.Linear(hidden, SIDE * SIDE * features * colours)
        )

    def forward(self, position_P3: Tensor) -> Tensor:
        """[..., 3] to [..., K, C]; a patch's entries by feature, row, column."""
        return self.layers(position_P3).unflatten(-1, (-1, self.colours))


def patches(features_BFZW: Tensor) -> Tensor:
    """The 3 x 3 neighbours of every sample, zeros past the edges: [B, K, Z, W]."""
    rows, columns = features_BFZW.shape[2:]
    neighbours = unfold(features_BFZW, SIDE, padding=SIDE // 2)
    return neighbours.unflatten(-1, (rows, columns))


def weighted(patches_BKNW: Tensor, weights_BNKC: Tensor) -> Tensor:
    """Patches by the weights of their row: [B, C, N, W]."""
    return torch.einsum("bknw,bnkc->bcnw", patches_BKNW, weights_BNKC)


def below(at_BN: Tensor) -> tuple[Tensor, Tensor]:
    """The thick slice at or below each position, and the offset from it, in [0, 1)."""
    low = (at_BN + ON_A_SLICE).floor()
    return low.long(), (at_BN - low).clamp(min=0)


class MetaSR(nn.Module):
    """x_B1ZW, positions at_BN and increment step_B (of thick slices) to grey values y_B1NW."""

    def __init__(self, sizes: Sizes):
        super().__init__()
        s = self.sizes = sizes
        self.trunk = Trunk(2, s.blocks, s.layers, s.growth, s.features)
        self.weights = MetaWeights(s.features, 1, s.hidden)
        if s.corrects:
            rest(self.weights.layers[-1])

    def forward(self, x_B1ZW: Tensor, at_BN: Tensor, step_B: Tensor) -> Tensor:
        slice_BN, offset_BN = below(at_BN.clamp(0, x_B1ZW.shape[2] - 1))
        increment_BN = step_B[:, None].expand_as(offset_BN)
        position = torch.stack((increment_BN, offset_BN, torch.zeros_like(offset_BN)), -1)
        patches_BKZW = patches(self.trunk(STRETCHED.seen(x_B1ZW)))
        batch = torch.arange(len(x_B1ZW), device=x_B1ZW.device)[:, None]
        made = []
        for rows, wanted in zip(slice_BN.split(ROWS, 1), position.split(ROWS, 1)):
            seen_BKNW = patches_BKZW.transpose(1, 2)[batch, rows].transpose(1, 2)
            made.append(weighted(seen_BKNW, self.weights(wanted)))
        start = linear_at(x_B1ZW, at_BN) if self.sizes.corrects else STRETCHED.middle
        return start + STRETCHED.correction(torch.cat(made, 2))
