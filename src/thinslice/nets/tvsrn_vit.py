"""A standard vision transformer with sub-pixel upsampling in z: the paper's plainest ablation.

Patches of one slice, 16 x 16 pixels, become tokens; all tokens of a crop attend to each other; each
token becomes ``factor`` patches, placed along z around its thick slice.

Source: Yu et al., MICCAI 2022, section 3.3 (TVSRN Encoder ViT: patches 1x16x16, 512 features,
8 layers; 17.15 M parameters printed, 17.61 M here). Silent in the paper, chosen here: MLP ratio 2
(ratio 4 would have 26 M), 8 heads, sine and cosine code of (z, y, x) so that crops may have any
size, rows and columns repeated at the far edges up to whole patches, grey values embedded as TVSRN
embeds them. What the last layer makes is added to linear interpolation, from zero: the untrained
network is linear interpolation, as TVSRN is, so the ablation does not measure another start.

Shape suffixes: B batch, Z slices, Y X in-plane, P pixels of a patch, N tokens, C features,
F native slices per thick slice, K native slices.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu, scaled_dot_product_attention

from thinslice.nets.tvsrn import linear_in_z, pad_to, start_embedding, z_code


@dataclass(frozen=True)
class Sizes:
    """Architecture of the transformer; the defaults are the paper's."""

    depth: int = 4  # thick slices in
    factor: int = 5  # native slices per thick increment
    patch: int = 16  # pixels along y and x
    channels: int = 512  # features of a token
    heads: int = 8
    blocks: int = 8
    mlp_ratio: int = 2


class Layer(nn.Module):
    """Attention among all tokens, then an MLP; pre-norm."""

    def __init__(self, s: Sizes):
        super().__init__()
        self.heads = s.heads
        self.norm1 = nn.LayerNorm(s.channels)
        self.qkv = nn.Linear(s.channels, 3 * s.channels)
        self.proj = nn.Linear(s.channels, s.channels)
        self.norm2 = nn.LayerNorm(s.channels)
        self.fc1 = nn.Linear(s.channels, s.mlp_ratio * s.channels)
        self.fc2 = nn.Linear(s.mlp_ratio * s.channels, s.channels)

    def forward(self, x_BNC: Tensor) -> Tensor:
        """[B, N, C] to the same shape."""
        qkv = self.qkv(self.norm1(x_BNC)).unflatten(2, (3, self.heads, -1))
        q, k, v = qkv.permute(2, 0, 3, 1, 4).unbind(0)
        x_BNC = x_BNC + self.proj(scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))
        return x_BNC + self.fc2(gelu(self.fc1(self.norm2(x_BNC))))


class TVSRNViT(nn.Module):
    """[B, 1, depth, Y, X] to [B, 1, (depth - 1) * factor + 1, Y, X], any Y, X and B."""

    sees_whole_tile = True  # all patches attend to each other

    def __init__(self, sizes: Sizes):
        super().__init__()
        s = self.sizes = sizes
        self.embedding = nn.Linear(s.patch**2, s.channels)
        self.layers = nn.ModuleList(Layer(s) for _ in range(s.blocks))
        self.norm = nn.LayerNorm(s.channels)
        self.projection = nn.Linear(s.channels, s.factor * s.patch**2)
        self.linear_KZ: Tensor
        self.register_buffer("linear_KZ", linear_in_z(s.depth, s.factor), persistent=False)
        self._start()

    def _start(self) -> None:
        """Embed grey values as TVSRN does, and give features of size one up to a branch's end."""
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.trunc_normal_(module.weight, std=0.02)
                nn.init.zeros_(module.bias)
        for layer in self.layers:
            assert isinstance(layer, Layer)
            for first in (layer.qkv, layer.fc1):
                nn.init.normal_(first.weight, std=first.in_features**-0.5)
        start_embedding(self.embedding)
        nn.init.zeros_(self.projection.weight)

    def code(self, z: int, y: int, x: int, like: Tensor) -> Tensor:
        """Position code of every token, [z * y * x, C]: a third of the features for each axis."""
        third = self.sizes.channels // 3
        widths = (self.sizes.channels - 2 * third, third, third)
        codes = [z_code(n, width) for n, width in zip((z, y, x), widths)]
        grids = [
            code.view(*(n if a == axis else 1 for a in range(3)), -1).expand(z, y, x, -1)
            for axis, (n, code) in enumerate(zip((z, y, x), codes))
        ]
        return torch.cat(grids, -1).flatten(0, 2).to(like)

    def forward(self, x_B1ZYX: Tensor) -> Tensor:
        """Thick slices to native slices, both in [0, 1] units."""
        s, (y, x) = self.sizes, x_B1ZYX.shape[-2:]
        if x_B1ZYX.shape[2] != s.depth:
            raise ValueError(f"built for {s.depth} thick slices, found {x_B1ZYX.shape[2]}")
        padded_BZYX = pad_to(x_B1ZYX, s.patch)[:, 0]
        patches = padded_BZYX.unflatten(3, (-1, s.patch)).unflatten(2, (-1, s.patch))
        rows, columns = patches.shape[2], patches.shape[4]
        tokens_BNP = patches.transpose(3, 4).flatten(4).flatten(1, 3)
        x_BNC = self.embedding(tokens_BNP) + self.code(s.depth, rows, columns, padded_BZYX)
        for layer in self.layers:
            x_BNC = layer(x_BNC)
        values_BNQ = self.projection(self.norm(x_BNC))
        shape = (s.depth, rows, columns, s.factor, s.patch, s.patch)
        values = values_BNQ.unflatten(2, shape[3:]).unflatten(1, shape[:3])
        values_BZYXF = values.permute(0, 1, 2, 5, 3, 6, 4).flatten(4, 5).flatten(2, 3)
        start_BKYX = torch.einsum("kz,bzyx->bkyx", self.linear_KZ, padded_BZYX)
        return (start_BKYX[:, None] + subpixel_slices(values_BZYXF))[..., :y, :x]


def subpixel_slices(values_BZYXF: Tensor) -> Tensor:
    """Place each thick slice's values along z, F//2 before its centre; [B, 1, native, Y, X].

    Those before the first thick centre and after the last one are dropped.
    """
    depth, factor = values_BZYXF.shape[1], values_BZYXF.shape[-1]
    slices_BZYX = values_BZYXF.permute(0, 1, 4, 2, 3).flatten(1, 2)
    first = factor // 2
    return slices_BZYX[:, None, first : first + (depth - 1) * factor + 1]
