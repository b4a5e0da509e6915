"""TVSRN as released: it reproduces the authors' code, so that their weights give their output.

It differs from the paper, and from ``thinslice.nets.tvsrn``, in these places:

- the embedding mixes blocks of 4 slices x 8 x 8 voxels densely (526,336 parameters);
- mask tokens are exactly zero: in the released code they are not registered, so never learned;
- the through-plane block attends in 4 x 4 windows of a view whose 8 columns are folded;
- every stack is normalised before and after, has a skip, and the decoder's has two groups;
- before the head, features stored as (slice, feature) are read as (feature, slice);
- a long skip adds the tokens, and of 16 slices only the middle 10 are returned.

2,387,489 parameters. Any Y and X; the released code allows one size and a batch of one. Rows and
columns are padded to multiples of 8 by repeating the far edges, and cropped again.

Source: the code of Yu et al., MICCAI 2022, configuration ``default``; written anew from a
description; tests compare it with the authors' outputs.

Shape suffixes: B batch, Z slices, Y X in-plane, C features, S stacked features (Z*C).
"""

import re
from collections.abc import Mapping

from torch import Tensor, nn

from thinslice.nets.authors_names import renamed
from thinslice.nets.swin import SwinStack, drop_path_rates
from thinslice.nets.tvsrn import both_views, pad_to, stack_slices, unstack_slices, z_code

DEPTH, FACTOR, SLICES, CHANNELS, FOLD = 4, 5, 16, 8, 8
HEADS, BLOCKS = 8, 4
TRIM = 3  # slices at either end of the 16 that are not returned
DROP_PATH = 0.1

STACKS = {"Encoder": "encoder", "Decoder_T1": "tab", "Decoder_I1": "decoder"}
BLOCK = re.compile(r"(\w+)\.layers\.(\d+)\.residual_group\.blocks\.(\d+)\.(?:attn\.|mlp\.)?(.+)")
COMPUTED = ("relative_position_index", "attn_mask")  # tables that follow from the architecture


class Backbone(nn.Module):
    """Groups of Swin layers, each with a skip, between two norms."""

    def __init__(self, width: int, window: int, groups: int):
        super().__init__()
        rates = drop_path_rates(DROP_PATH, groups * BLOCKS)
        self.before = nn.LayerNorm(width)
        self.groups = nn.ModuleList(
            SwinStack(width, HEADS, (window, window), BLOCKS, rates[g * BLOCKS : (g + 1) * BLOCKS])
            for g in range(groups)
        )
        self.after = nn.LayerNorm(width)

    def forward(self, x_BYXC: Tensor) -> Tensor:
        """[B, Y, X, C] to the same shape."""
        x_BYXC = self.before(x_BYXC)
        for group in self.groups:
            x_BYXC = group(x_BYXC) + x_BYXC
        return self.after(x_BYXC)


class TVSRNReleased(nn.Module):
    """[B, 1, 4, Y, X] to [B, 1, 10, Y, X], slices 3 to 12 of 16; see the module docstring."""

    def __init__(self) -> None:
        super().__init__()
        block = FOLD * FOLD
        self.embedding = nn.Conv2d(DEPTH * block, DEPTH * CHANNELS * block, 1)
        self.encoder = Backbone(DEPTH * CHANNELS, window=8, groups=1)
        self.tab = Backbone(CHANNELS * FOLD, window=4, groups=1)
        self.decoder = Backbone(SLICES * CHANNELS, window=8, groups=2)
        self.head = nn.Sequential(nn.Conv3d(CHANNELS, 16, 1), nn.LeakyReLU(), nn.Conv3d(16, 1, 1))
        self.z_code_ZC: Tensor
        self.register_buffer("z_code_ZC", z_code(SLICES, CHANNELS), persistent=False)

    def embed(self, x_B1ZYX: Tensor) -> Tensor:
        """Thick slices to features, slice by slice, [B, Y, X, Z*C]."""
        blocks = nn.functional.pixel_unshuffle(x_B1ZYX[:, 0], FOLD)
        return nn.functional.pixel_shuffle(self.embedding(blocks), FOLD).permute(0, 2, 3, 1)

    def tokens(self, encoded_BYXS: Tensor) -> Tensor:
        """Thick slices with zeros between them, and the code of z, [B, 16, Y, X, C]."""
        thick_BZYXC = unstack_slices(encoded_BYXS, DEPTH)
        b, _, y, x, c = thick_BZYXC.shape
        all_slices = thick_BZYXC.new_zeros(b, SLICES, y, x, c)
        all_slices[:, ::FACTOR] = thick_BZYXC
        return all_slices + self.z_code_ZC[:, None, None]

    def forward(self, x_B1ZYX: Tensor) -> Tensor:
        """Thick slices to the middle ten native slices, both in [0, 1] units."""
        if x_B1ZYX.shape[2] != DEPTH:
            raise ValueError(f"built for {DEPTH} thick slices, found {x_B1ZYX.shape[2]}")
        y, x = x_B1ZYX.shape[-2:]
        embedded_BYXS = self.embed(pad_to(x_B1ZYX, FOLD))
        tokens_BZYXC = self.tokens(self.encoder(embedded_BYXS) + embedded_BYXS)
        state_BYXS = stack_slices(both_views(self.tab, tokens_BZYXC, FOLD) + tokens_BZYXC)
        state_BYXS = self.decoder(state_BYXS) + state_BYXS + stack_slices(tokens_BZYXC)
        misread_BYXCZ = state_BYXS.unflatten(3, (CHANNELS, SLICES))  # stored as (slice, feature)
        return self.head(misread_BYXCZ.permute(0, 3, 4, 1, 2))[:, :, TRIM:-TRIM, :y, :x]


def our_name(theirs: str) -> str:
    """Name of a tensor of the authors' state dict here; KeyError if it has none."""
    if match := BLOCK.fullmatch(theirs):
        stack, group, block, layer = match.groups()
        layer = "position_bias" if layer == "relative_position_bias_table" else layer
        return f"{STACKS[stack]}.groups.{group}.blocks.{block}.{layer}"
    stack, _, rest = theirs.partition(".")
    layer, _, part = rest.rpartition(".")
    norms = {"patch_embed.norm": "before", "norm": "after"}
    if stack in STACKS and layer in norms:
        return f"{STACKS[stack]}.{norms[layer]}.{part}"
    layers = {"LP": "embedding", "conv_before_upsample.0": "head.0", "conv_last": "head.2"}
    layer, _, part = theirs.rpartition(".")
    return f"{layers[layer]}.{part}"


def from_authors(theirs: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The authors' state dict under our names; ValueError for unknown tensors."""
    return renamed(theirs, our_name, computed=COMPUTED, network="the released TVSRN")
