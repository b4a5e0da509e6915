"""TVSRN's encoder alone, with sub-pixel upsampling in z: the paper's ablation of its decoder.

The features of all thick slices at one (y, x) become the values of all native slices there.

Source: Yu et al., MICCAI 2022, section 3.3 (TVSRN Encoder: N = 8, C = 32; 1.58 M parameters
printed, 1.60 M here). Silent in the paper, chosen here: thick slice i is native slice i * factor,
as in TVSRN; and the first weights are of the same kind as TVSRN's, so that the ablation measures
the decoder, not the start: the untrained network is linear interpolation.

Shape suffixes: B batch, Z slices, Y X in-plane, C features.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from thinslice.nets.swin import SwinStack, drop_path_rates
from thinslice.nets.tvsrn import (
    MIDDLE,
    linear_in_z,
    stack_slices,
    start_embedding,
    start_stacks,
)


@dataclass(frozen=True)
class Sizes:
    """Architecture of the encoder; the defaults are the paper's."""

    depth: int = 4  # thick slices in
    factor: int = 5  # native slices per thick increment
    channels: int = 32  # features of a voxel, C
    heads: int = 8
    encoder_blocks: int = 8  # N
    window: int = 8
    drop_path: float = 0.1

    @property
    def slices(self) -> int:
        """Native slices out: thick slice i is native slice i * factor."""
        return (self.depth - 1) * self.factor + 1


class TVSRNEncoder(nn.Module):
    """[B, 1, depth, Y, X] to [B, 1, (depth - 1) * factor + 1, Y, X], any Y, X and B."""

    def __init__(self, sizes: Sizes):
        super().__init__()
        s = self.sizes = sizes
        self.embedding = nn.Linear(1, s.channels)
        self.encoder = SwinStack(
            s.depth * s.channels,
            s.heads,
            (s.window, s.window),
            s.encoder_blocks,
            drop_path_rates(s.drop_path, s.encoder_blocks),
        )
        self.projection = nn.Linear(s.depth * s.channels, s.slices)
        self._start_as_interpolation()

    def _start_as_interpolation(self) -> None:
        s = self.sizes
        start_embedding(self.embedding)
        start_stacks(self)
        nn.init.constant_(self.projection.bias, MIDDLE)
        with torch.no_grad():
            e_C = self.embedding.weight[:, 0]
            weight = linear_in_z(s.depth, s.factor)[:, :, None] * e_C / e_C.dot(e_C)
            self.projection.weight.copy_(weight.flatten(1))

    def forward(self, x_B1ZYX: Tensor) -> Tensor:
        """Thick slices to native slices, both in [0, 1] units."""
        s = self.sizes
        if x_B1ZYX.shape[2] != s.depth:
            raise ValueError(f"built for {s.depth} thick slices, found {x_B1ZYX.shape[2]}")
        embedded_BZYXC = self.embedding(x_B1ZYX[:, 0, ..., None])
        values_BYXZ = self.projection(self.encoder(stack_slices(embedded_BZYXC)))
        return values_BYXZ.permute(0, 3, 1, 2)[:, None]
