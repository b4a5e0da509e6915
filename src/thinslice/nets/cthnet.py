"""CTHNet as released: convolutions and Swin layers in 3-D, and a decoder like TVSRN's.

    encoder    a 3x7x7 convolution and a stack of 3-D Swin layers, between skips
    upsampling each thick slice is repeated (nearest neighbour), not aligned with native slices;
               the code of z is added
    decoder    a through-plane block on the sagittal and coronal views, then in-plane layers on the
               features of all slices, both without their input added; each group of layers ends in
               a convolution; one more convolution, and the upsampled features are added
    head       two layers per voxel; ``trim`` slices at each end are not returned

What the authors' code does and a reader of the paper would not expect: no shifted window is masked,
so that ends attend to each other (``nets.wrapped_swin``); features stacked as (feature, slice) are
read by the through-plane block as (slice, feature), so what it takes for z is a mixture. 10,606,217
parameters at the authors' sizes. Any Y and X, in a batch; theirs allows one size and a batch of 1.
Rows and columns are padded to multiples of the fold by repeating the far edges, and cropped again.
``Sizes.corrects`` is ours: the network sees stretched grey values and corrects linear
interpolation; as the authors have it an untrained one answers noise, which takes days to undo.

Source: the code of Yu et al., npj Digital Medicine 2024 (CTHNet); written anew from a description;
tests compare it with the authors' outputs. Drop path is as in the same authors' TVSRN.

Shape suffixes: B batch, C features, Z slices, Y X in-plane, S stacked features of all slices.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn.functional import interpolate

from thinslice.nets.along_z import native, rest
from thinslice.nets.authors_names import renamed
from thinslice.nets.grey import AS_STORED, STRETCHED
from thinslice.nets.native_deconvolution import check_depth
from thinslice.nets.swin import Window, drop_path_rates
from thinslice.nets.tvsrn import both_views, pad_to, stack_slices, unstack_slices, z_code
from thinslice.nets.wrapped_swin import WrappedStack


@dataclass(frozen=True)
class Sizes:
    """Architecture of a CTHNet; the defaults are those of the released code."""

    depth: int = 8  # thick slices in
    factor: int = 5  # native slices per thick increment
    trim: int = 3  # native slices at each end that are not returned
    stem: int = 32  # features of a voxel in the encoder
    channels: int = 8  # features of a voxel in the decoder
    heads: int = 8  # of every attention
    encoder_blocks: int = 4
    tab_blocks: int = 4  # layers of the through-plane block
    plane_groups: int = 2  # of in-plane layers
    plane_blocks: int = 4  # layers of a group
    window: int = 8  # in-plane; half in the views, a quarter in the encoder
    fold: int = 8  # columns folded into features in a view
    drop_path: float = 0.1
    corrects: bool = False  # linear interpolation, which an untrained network then answers

    def __post_init__(self) -> None:
        if self.window % 4:
            raise ValueError(f"window {self.window} is no multiple of 4")

    @property
    def slices(self) -> int:
        """Native slices of the decoder: thick slice i is native slice i * factor."""
        return (self.depth - 1) * self.factor + 1


def last(x_BCZYX: Tensor) -> Tensor:
    """Features last."""
    return x_BCZYX.movedim(1, -1)


def first(x_BZYXC: Tensor) -> Tensor:
    """Features first."""
    return x_BZYXC.movedim(-1, 1)


class Encoder(nn.Module):
    """[B, 1, Z, Y, X] to [B, C, Z, Y, X]."""

    def __init__(self, s: Sizes):
        super().__init__()
        self.stem = nn.Conv3d(1, s.stem, (3, 7, 7), padding=(1, 3, 3))
        self.before = nn.LayerNorm(s.stem)
        rates = drop_path_rates(s.drop_path, s.encoder_blocks)
        self.stage = WrappedStack(s.stem, s.heads, (s.window // 4,) * 3, rates)
        self.stage_conv = nn.Conv3d(s.stem, s.stem, 3, padding=1)
        self.stage_norm = nn.LayerNorm(s.stem)
        self.after = nn.LayerNorm(s.stem)
        self.body = nn.Conv3d(s.stem, s.stem, 3, padding=1)

    def forward(self, x_B1ZYX: Tensor) -> Tensor:
        stem_BCZYX = self.stem(x_B1ZYX)
        x_BZYXC = self.before(last(stem_BCZYX))
        staged_BCZYX = self.stage_conv(first(self.stage(x_BZYXC)))
        x_BZYXC = self.after(self.stage_norm(last(staged_BCZYX)) + x_BZYXC)
        return self.body(first(x_BZYXC)) + stem_BCZYX


class Group(nn.Module):
    """Swin layers, a convolution, and a skip over both."""

    def __init__(self, width: int, heads: int, window: Window, rates: list[float]):
        super().__init__()
        self.stack = WrappedStack(width, heads, window, rates)
        self.conv = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x_BYXC: Tensor) -> Tensor:
        return last(self.conv(first(self.stack(x_BYXC)))) + x_BYXC


class Layers(nn.Module):
    """Groups between two norms, [B, Y, X, C] to the same shape."""

    def __init__(self, width: int, window: int, groups: int, blocks: int, s: Sizes):
        super().__init__()
        rates = drop_path_rates(s.drop_path, groups * blocks)
        self.before = nn.LayerNorm(width)
        self.groups = nn.Sequential(
            *(
                Group(width, s.heads, (window, window), rates[g * blocks : (g + 1) * blocks])
                for g in range(groups)
            )
        )
        self.after = nn.LayerNorm(width)

    def forward(self, x_BYXC: Tensor) -> Tensor:
        return self.after(self.groups(self.before(x_BYXC)))


class CTHNet(nn.Module):
    """[B, 1, depth, Y, X] to [B, 1, slices - 2 * trim, Y, X]; see the module docstring."""

    def __init__(self, sizes: Sizes):
        super().__init__()
        s = self.sizes = sizes
        self.encoder = Encoder(s)
        self.narrow = nn.Conv3d(s.stem, s.channels, 3, padding=1)
        self.tab = Layers(s.channels * s.fold, s.window // 2, 1, s.tab_blocks, s)
        width = s.channels * s.slices
        self.decoder = Layers(width, s.window, s.plane_groups, s.plane_blocks, s)
        self.body = nn.Conv2d(width, width, 3, padding=1)
        self.head = nn.Sequential(
            nn.Conv3d(s.channels, 2 * s.channels, 1),
            nn.LeakyReLU(),
            nn.Conv3d(2 * s.channels, 1, 1),
        )
        self.grey = STRETCHED if s.corrects else AS_STORED
        if s.corrects:
            rest(self.head[-1])
        self.z_code_ZC: Tensor
        self.register_buffer("z_code_ZC", z_code(s.slices, s.channels), persistent=False)

    def tokens(self, x_B1ZYX: Tensor) -> Tensor:
        """Encoded thick slices repeated to native ones, and the code of z, [B, C, Z, Y, X]."""
        narrow_BCZYX = self.narrow(self.encoder(x_B1ZYX))
        size = (self.sizes.slices, *narrow_BCZYX.shape[-2:])
        return interpolate(narrow_BCZYX, size) + self.z_code_ZC.T[:, :, None, None]

    def forward(self, x_B1ZYX: Tensor) -> Tensor:
        """Thick slices to the middle native slices, both in [0, 1] units."""
        s, (y, x) = self.sizes, x_B1ZYX.shape[-2:]
        check_depth(x_B1ZYX, s.depth)
        seen_B1ZYX = pad_to(self.grey.seen(x_B1ZYX), s.fold)
        tokens_BYXS = last(self.tokens(seen_B1ZYX).flatten(1, 2)).contiguous()
        misread_BZYXC = unstack_slices(tokens_BYXS, s.slices)  # stacked as (feature, slice)
        state_BYXS = self.decoder(stack_slices(both_views(self.tab, misread_BZYXC, s.fold)))
        state_BSYX = self.body(first(state_BYXS)) + first(tokens_BYXS)
        values_B1ZYX = self.head(state_BSYX.unflatten(1, (s.channels, s.slices)))
        values_B1ZYX = values_B1ZYX[..., :y, :x]
        if s.corrects:
            values_B1ZYX = native(values_B1ZYX, x_B1ZYX, s.factor, corrects=True)
        return values_B1ZYX[:, :, s.trim : s.slices - s.trim]


BLOCK = re.compile(
    r"(\w+)\.layers\.(\d+)\.(?:residual_group\.)?blocks\.(\d+)\.(?:attn\.|mlp\.)?(.+)"
)
GROUP_CONV = re.compile(r"(Decoder_\w+)\.layers\.(\d+)\.conv")
STACKS = {"Decoder_T1": "tab", "Decoder_I1": "decoder"}
LAYERS = {
    "Encoder.conv_first": "encoder.stem",
    "Encoder.norm_first": "encoder.before",
    "Encoder.norm_last": "encoder.after",
    "Encoder.layers.0.layer_conv": "encoder.stage_conv",
    "Encoder.layers.0.layer_norm": "encoder.stage_norm",
    "Encoder.conv_after_body": "encoder.body",
    "conv_after_E": "narrow",
    "Decoder_T1.patch_embed.norm": "tab.before",
    "Decoder_T1.norm": "tab.after",
    "Decoder_I1.patch_embed.norm": "decoder.before",
    "Decoder_I1.norm": "decoder.after",
    "conv_after_body": "body",
    "conv_before_upsample.0": "head.0",
    "conv_last": "head.2",
}
COMPUTED = ("relative_position_index", "attn_mask")  # tables that follow from the architecture


def our_name(theirs: str) -> str:
    """Name of a tensor of the authors' state dict here; KeyError if it has none."""
    if match := BLOCK.fullmatch(theirs):
        stack, group, block, layer = match.groups()
        layer = "position_bias" if layer == "relative_position_bias_table" else layer
        of = "encoder.stage" if stack == "Encoder" else f"{STACKS[stack]}.groups.{group}.stack"
        return f"{of}.blocks.{block}.{layer}"
    layer, _, part = theirs.rpartition(".")
    if match := GROUP_CONV.fullmatch(layer):
        return f"{STACKS[match[1]]}.groups.{match[2]}.conv.{part}"
    return f"{LAYERS[layer]}.{part}"


def from_authors(theirs: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The authors' state dict under our names; ValueError for unknown tensors."""
    return renamed(theirs, our_name, computed=COMPUTED, network="CTHNet")
