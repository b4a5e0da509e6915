"""TVSRN's encoder alone, with sub-pixel upsampling in z: the paper's ablation of its decoder.

Every thick slice becomes ``factor`` native slices: each voxel's features are projected to that many
values, which are placed along z around the thick slice's centre.

Source: Yu et al., MICCAI 2022, section 3.3 (TVSRN Encoder: N = 8, C = 32; 1.58 M parameters
printed, 1.60 M here). Silent in the paper, chosen here: the sub-pixel slices lie centred on their
thick slice and those beyond the first and the last thick centre are dropped; the untrained network
repeats each thick slice, and embeds grey values as TVSRN does.

Shape suffixes: B batch, Z slices, Y X in-plane, C features, F native slices per thick slice.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from thinslice.nets.swin import SwinStack, drop_path_rates
from thinslice.nets.tvsrn import (
    MIDDLE,
    stack_slices,
    start_embedding,
    start_stacks,
    unstack_slices,
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
        self.projection = nn.Linear(s.channels, s.factor)
        self._start_as_repetition()

    def _start_as_repetition(self) -> None:
        start_embedding(self.embedding)
        start_stacks(self)
        nn.init.constant_(self.projection.bias, MIDDLE)
        with torch.no_grad():
            e_C = self.embedding.weight[:, 0]
            self.projection.weight.copy_((e_C / e_C.dot(e_C)).expand(self.sizes.factor, -1))

    def forward(self, x_B1ZYX: Tensor) -> Tensor:
        """Thick slices to native slices, both in [0, 1] units."""
        s = self.sizes
        if x_B1ZYX.shape[2] != s.depth:
            raise ValueError(f"built for {s.depth} thick slices, found {x_B1ZYX.shape[2]}")
        embedded_BZYXC = self.embedding(x_B1ZYX[:, 0, ..., None])
        encoded_BZYXC = unstack_slices(self.encoder(stack_slices(embedded_BZYXC)), s.depth)
        return subpixel_slices(self.projection(encoded_BZYXC))


def subpixel_slices(values_BZYXF: Tensor) -> Tensor:
    """Place each thick slice's values along z, F//2 before its centre; [B, 1, native, Y, X]."""
    depth, factor = values_BZYXF.shape[1], values_BZYXF.shape[-1]
    slices_BZYX = values_BZYXF.permute(0, 1, 4, 2, 3).flatten(1, 2)
    first = factor // 2
    return slices_BZYX[:, None, first : first + (depth - 1) * factor + 1]
