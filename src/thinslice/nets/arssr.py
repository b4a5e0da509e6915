"""ArSSR: a thick block as a continuous function of place, from a 3-D encoder and a small MLP.

The encoder makes features on the block's own voxels. At any point they are interpolated linearly
along all axes, the point's place in the block is put beside them, and two MLPs of four layers, with
a skip between them, give the grey value, never below 0.

Source: Wu et al., "An arbitrary scale super-resolution approach for 3D MR images via implicit
neural representation", IEEE JBHI 2023, and its code; written from a description; tests compare the
network with the authors' outputs. Differs: asked for whole slices (``forward``), so points lie on
pixels in-plane; the encoder runs once per block (theirs: once per slice of the answer).

Shape suffixes: B batch, F features, K points, N slices asked for, Z Y X axes of the block.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import grid_sample

from thinslice.nets.along_z import linear_at, rest
from thinslice.nets.arssr_encoders import ENCODERS
from thinslice.nets.grey import STRETCHED

PLACE = 3  # numbers that say where a point is
POINTS = 2**16  # decoded at once when restoring


@dataclass(frozen=True)
class Sizes:
    """What shapes the network; the defaults are the authors'."""

    encoder: str = "rdn"  # or "rescnn", "srresnet"
    depth: tuple[int, ...] = (8, 3)  # of the encoder: blocks and their layers, or blocks alone
    width: int = 64  # features inside the encoder
    features: int = 128  # that it gives
    hidden: int = 256  # width of the MLPs
    corrects: bool = False  # what is made is added to linear interpolation


def perceptron(inputs: int, hidden: int, outputs: int) -> nn.Sequential:
    """Four linear layers, ReLU between them."""
    sizes = [inputs, hidden, hidden, hidden, outputs]
    layers: list[nn.Module] = []
    for before, after in pairwise(sizes):
        layers += [nn.Linear(before, after), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


class ArSSR(nn.Module):
    """x_B1ZYX and slice positions at_BN (of thick slices) to grey values y_B1NYX."""

    def __init__(self, sizes: Sizes):
        super().__init__()
        s = self.sizes = sizes
        self.encoder = ENCODERS[s.encoder](*s.depth, s.width, s.features)
        self.stage_one = perceptron(s.features + PLACE, s.hidden, s.features + PLACE)
        self.stage_two = perceptron(s.features + PLACE, s.hidden, 1)
        last = self.stage_two[-1]
        assert isinstance(last, nn.Linear)
        if s.corrects:
            rest(last)
        else:  # else the last ReLU may pass nothing from the start, and then nothing is learned
            nn.init.constant_(last.bias, STRETCHED.middle)

    def values(self, features_BFZYX: Tensor, place_BK3: Tensor) -> Tensor:
        """What the decoder gives at places (z, y, x) in [-1, 1], before its last ReLU: [B, K]."""
        if not self.training and place_BK3.shape[1] > POINTS:
            parts = place_BK3.split(POINTS, dim=1)
            return torch.cat([self.values(features_BFZYX, part) for part in parts], 1)
        at = place_BK3.flip(-1)[:, :, None, None]
        seen = grid_sample(features_BFZYX, at, mode="bilinear", align_corners=False)
        x_BKC = torch.cat((seen[..., 0, 0].transpose(1, 2), place_BK3), -1)
        return self.stage_two(x_BKC + self.stage_one(x_BKC).relu())[..., 0]

    def forward(self, x_B1ZYX: Tensor, at_BN: Tensor, step_B: Tensor) -> Tensor:
        """Whole slices; ``step_B``, their increment in thick ones, is not asked for."""
        b, n = at_BN.shape
        _, _, depth, rows, columns = x_B1ZYX.shape
        place_BK3 = places(at_BN, depth, rows, columns)
        shown = STRETCHED.seen(x_B1ZYX) if self.sizes.corrects else x_B1ZYX
        made_BK = self.values(self.encoder(shown), place_BK3)
        made_B1NYX = made_BK.view(b, 1, n, rows, columns)
        if self.sizes.corrects:
            made_B1NYX = linear_at(x_B1ZYX, at_BN) + STRETCHED.correction(made_B1NYX)
        return made_B1NYX.relu()


def places(at_BN: Tensor, depth: int, rows: int, columns: int) -> Tensor:
    """The centres of all pixels of slices, [B, N * Y * X, 3], -1 to 1 from edge to edge."""
    b, n = at_BN.shape
    z = (2 * at_BN + 1) / depth - 1
    y, x = (
        (2 * torch.arange(size, device=at_BN.device, dtype=z.dtype) + 1) / size - 1
        for size in (rows, columns)
    )
    axes = (z[:, :, None, None], y[None, None, :, None], x[None, None, None, :])
    return torch.stack([axis.expand(b, n, rows, columns) for axis in axes], -1).flatten(1, 3)


OURS = (  # the authors' names of tensors, and ours
    (r"decoder\.(stage_one|stage_two)\.(\d)", r"\1.\2"),
    (r"encoder\.sfe1", "encoder.trunk.first"),
    (r"encoder\.sfe2", "encoder.trunk.second"),
    (r"encoder\.rdbs\.(\d+)\.layers\.(\d+)\.conv", r"encoder.trunk.blocks.\1.layers.\2"),
    (r"encoder\.rdbs\.(\d+)\.lff", r"encoder.trunk.blocks.\1.fuse"),
    (r"encoder\.gff\.(\d)", r"encoder.trunk.fuse.\1"),
    (r"encoder\.output", "encoder.last"),
    (r"encoder\.conv_start\.0", "encoder.first"),
    (r"encoder\.block(\d)\.(\d+)", lambda m: f"encoder.runs.{int(m[1]) - 1}.{m[2]}"),
    (r"encoder\.conv_end\.0", "encoder.last"),
    (
        r"encoder\.features\.(\d+)\.m\.(\d)\.0",
        lambda m: f"encoder.layers.{m[1]}.body.{2 * int(m[2])}",
    ),
    (r"encoder\.features\.(\d+)\.0", r"encoder.layers.\1"),
)


def from_authors(theirs: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The authors' state dict under our names; ValueError for a tensor that has none."""
    return {_our_name(name): tensor for name, tensor in theirs.items()}


def _our_name(theirs: str) -> str:
    layer, _, part = theirs.rpartition(".")
    for pattern, ours in OURS:
        if match := re.fullmatch(pattern, layer):
            return (ours(match) if callable(ours) else match.expand(ours)) + f".{part}"
    raise ValueError(f"{theirs} has no place in ArSSR")
