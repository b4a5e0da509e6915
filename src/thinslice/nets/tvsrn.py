"""TVSRN as published: a transformer that fills in the slices between thick slices.

Acquired slices are tokens; missing ones enter as mask tokens, and a decoder restores all of them
together, from in-plane layers and from layers in the sagittal and coronal views.

    embedding   every voxel becomes C features
    encoder     N Swin layers in-plane; the features of all thick slices stand side by side
    tokens      mask tokens go between the thick slices, and a code of its z is added to each
    decoder     M times: a through-plane block (sagittal and coronal views), then in-plane layers
    projection  the tokens of all slices at one (y, x) become the values of all slices there

Source: Yu et al., "RPLHR-CT dataset and transformer baseline for volumetric super-resolution from
CT scans", MICCAI 2022, sections 2.2 and 3. Where the paper is silent, we chose:

- embedding and projection: linear, per voxel and per (y, x); the authors' code mixes 8x8x4 blocks;
- F_0 is read as (C*D) x H x W: only so does the encoder-only ablation reach its 1.58 M parameters;
- mask tokens: one learned vector per offset from the thick slice before, shared by all gaps;
- the code of z: sines and cosines, not learned;
- through-plane block: 8 columns (rows) are folded into channels, as in the authors' code; only so
  does the block weigh about the 0.17 M of the paper's ablation; windows are 4 (z) x 8 as printed;
- layers are bare (eq. 1 and 2): no norm or skip around a stack but the one of equation 2;
- heads 8, MLP ratio 4, drop path rising to 0.1 in each stack: as in the authors' code;
- start: the last linear layer of every branch is zero and the projection interpolates linearly in
  z, so an untrained network is linear interpolation and training only improves on it. Grey values
  are embedded around ``MIDDLE`` with ``GAIN``, far above the code of z, and the first layers of a
  branch give features of size one. With embedding and layers as drawn by default, 0.3 % of what the
  decoder's norms pass on is image; the authors' code has norms around every stack for that.

The paper's text has four in-plane layers in the decoder, its code two groups of four. With eight
this reading has 1.86 M parameters, and without the through-plane block 1.66 M; the paper prints
1.73 M and 1.56 M. With four it has 1.06 M and 0.86 M: eight is nearer, so eight is the default.

Shape suffixes: B batch, Z slices, Y X in-plane, C features, O offsets, S stacked features (Z*C).
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from thinslice.nets.swin import SwinBlock, SwinStack, drop_path_rates
from thinslice.nets.windows import whole


@dataclass(frozen=True)
class Sizes:
    """Architecture of a TVSRN; the defaults are the paper's."""

    depth: int = 4  # thick slices in
    factor: int = 5  # native slices per thick increment
    channels: int = 8  # features of a voxel, C
    heads: int = 8  # must divide channels
    encoder_blocks: int = 4  # N
    modules: int = 1  # feature interaction modules, M
    tab_blocks: int = 4  # layers of a through-plane block
    plane_blocks: int = 8  # in-plane layers of a module; the text says 4, see above
    window: int = 8  # along y and x
    window_z: int = 4
    fold: int = 8  # columns (rows) folded into channels in the through-plane block
    drop_path: float = 0.1  # rate of the last layer of a stack, in training

    @property
    def slices(self) -> int:
        """Native slices out: thick slice i is native slice i * factor."""
        return (self.depth - 1) * self.factor + 1


def z_code(slices: int, channels: int) -> Tensor:
    """Sines (even) and cosines (odd features) of the slice number, [Z, C]."""
    frequency = 10000.0 ** (-torch.arange(0, channels, 2) / channels)
    angle = torch.arange(slices)[:, None] * frequency
    return torch.stack((angle.sin(), angle.cos()), -1).flatten(1)[:, :channels]


def linear_in_z(depth: int, factor: int) -> Tensor:
    """Matrix of linear interpolation from thick to native slices, [native, depth]."""
    native = np.arange((depth - 1) * factor + 1) / factor
    rows = [np.interp(native, np.arange(depth), unit) for unit in np.eye(depth)]
    return torch.tensor(np.stack(rows, 1), dtype=torch.float32)


def pad_to(x_B1ZYX: Tensor, step: int) -> Tensor:
    """Pad rows and columns to multiples of ``step`` by repeating the far edges."""
    y, x = (whole(n, step) - n for n in x_B1ZYX.shape[-2:])
    return pad(x_B1ZYX, (0, x, 0, y, 0, 0), mode="replicate") if y or x else x_B1ZYX


def columns_to_features(x_BZYXC: Tensor, fold: int) -> Tensor:
    """The sagittal view: [B * X/fold, Z, Y, C*fold], feature c*fold + column."""
    b, z, y, x, c = x_BZYXC.shape
    cut = x_BZYXC.view(b, z, y, x // fold, fold, c)
    return cut.permute(0, 3, 1, 2, 5, 4).reshape(b * x // fold, z, y, c * fold)


def features_to_columns(view: Tensor, fold: int, batch: int) -> Tensor:
    """The inverse of ``columns_to_features``, [B, Z, Y, X, C]."""
    n, z, y, s = view.shape
    cut = view.view(batch, n // batch, z, y, s // fold, fold)
    return cut.permute(0, 2, 3, 1, 5, 4).reshape(batch, z, y, n // batch * fold, s // fold)


def both_views(layers: nn.Module, x_BZYXC: Tensor, fold: int) -> Tensor:
    """Sum of ``layers`` applied to the sagittal and to the coronal view, [B, Z, Y, X, C]."""
    batch = len(x_BZYXC)
    sagittal = features_to_columns(layers(columns_to_features(x_BZYXC, fold)), fold, batch)
    turned_BZXYC = x_BZYXC.transpose(2, 3).contiguous()
    coronal = features_to_columns(layers(columns_to_features(turned_BZXYC, fold)), fold, batch)
    return sagittal + coronal.transpose(2, 3)


def stack_slices(x_BZYXC: Tensor) -> Tensor:
    """Stack the features of all slices at one (y, x) into one token, [B, Y, X, Z*C]."""
    return x_BZYXC.permute(0, 2, 3, 1, 4).flatten(3)


def unstack_slices(x_BYXS: Tensor, slices: int) -> Tensor:
    """The inverse of ``stack_slices``, [B, Z, Y, X, C]."""
    return x_BYXS.unflatten(3, (slices, -1)).permute(0, 3, 1, 2, 4)


GAIN = 10.0  # root mean square of a grey value's features; of those of the code of z it is 0.7
MIDDLE = 0.3  # grey value whose features start at zero


def start_embedding(embedding: nn.Linear) -> None:
    """Draw an embedding of grey values that outweighs position codes, zero for ``MIDDLE``."""
    with torch.no_grad():
        weight = nn.init.normal_(embedding.weight)
        weight *= GAIN * embedding.out_features**0.5 / weight.norm()
        embedding.bias.copy_(-MIDDLE * weight.sum(1))


def start_stacks(net: nn.Module) -> None:
    """Start every Swin block as the identity, with features of size one up to its last layers."""
    for block in net.modules():
        if isinstance(block, SwinBlock):
            for layer in (block.qkv, block.fc1):
                nn.init.normal_(layer.weight, std=layer.in_features**-0.5)
            for layer in (block.proj, block.fc2):
                nn.init.zeros_(layer.weight)


class ThroughPlane(nn.Module):
    """Through-plane attention block: input + sagittal output + coronal output."""

    def __init__(self, s: Sizes):
        super().__init__()
        self.fold = s.fold
        self.layers = SwinStack(
            s.channels * s.fold,
            s.heads,
            (s.window_z, s.window),
            s.tab_blocks,
            drop_path_rates(s.drop_path, s.tab_blocks),
        )

    def forward(self, x_BZYXC: Tensor) -> Tensor:
        """[B, Z, Y, X, C] to the same; Y and X are multiples of the fold."""
        return x_BZYXC + both_views(self.layers, x_BZYXC, self.fold)


class TVSRN(nn.Module):
    """[B, 1, depth, Y, X] to [B, 1, slices, Y, X], any Y, X and B; see the module docstring."""

    through_plane: type[nn.Module] = ThroughPlane
    tab_gain = 3.0  # gain of a through-plane block whose layers are the identity

    def __init__(self, sizes: Sizes):
        super().__init__()
        s = self.sizes = sizes
        self.embedding = nn.Linear(1, s.channels)
        self.encoder = self._in_plane(s.depth, s.encoder_blocks)
        self.mask_tokens_OC = nn.Parameter(torch.empty(s.factor - 1, s.channels))
        self.z_code_ZC: Tensor
        self.register_buffer("z_code_ZC", z_code(s.slices, s.channels), persistent=False)
        self.tabs = nn.ModuleList(self.through_plane(s) for _ in range(s.modules))
        self.planes = nn.ModuleList(
            self._in_plane(s.slices, s.plane_blocks) for _ in range(s.modules)
        )
        self.projection = nn.Linear(s.slices * s.channels, s.slices)
        self._start_as_interpolation()

    def _in_plane(self, slices: int, blocks: int) -> SwinStack:
        s = self.sizes
        window = (s.window, s.window)
        return SwinStack(
            slices * s.channels, s.heads, window, blocks, drop_path_rates(s.drop_path, blocks)
        )

    def _start_as_interpolation(self) -> None:
        """Zero the branches, and let the projection interpolate the embedded slices linearly."""
        s = self.sizes
        nn.init.trunc_normal_(self.mask_tokens_OC, std=0.02)
        start_embedding(self.embedding)
        start_stacks(self)
        with torch.no_grad():
            e_C = self.embedding.weight[:, 0]
            weight = torch.zeros(s.slices, s.slices, s.channels)
            weight[:, :: s.factor] = linear_in_z(s.depth, s.factor)[:, :, None] * e_C / e_C.dot(e_C)
            self.projection.weight.copy_(weight.flatten(1) / self.tab_gain**s.modules)
            nn.init.constant_(self.projection.bias, MIDDLE)

    def tokens(self, thick_BZYXC: Tensor) -> Tensor:
        """Thick slices with mask tokens between them, and the code of z, [B, slices, Y, X, C]."""
        s = self.sizes
        b, _, y, x, c = thick_BZYXC.shape
        mask = self.mask_tokens_OC.view(1, 1, -1, 1, 1, c).expand(b, s.depth, -1, y, x, c)
        all_slices = torch.cat((thick_BZYXC[:, :, None], mask.to(thick_BZYXC.dtype)), 2)
        return all_slices.flatten(1, 2)[:, : s.slices] + self.z_code_ZC[:, None, None]

    def forward(self, x_B1ZYX: Tensor) -> Tensor:
        """Thick slices to native slices, both in [0, 1] units."""
        s, (y, x) = self.sizes, x_B1ZYX.shape[-2:]
        if x_B1ZYX.shape[2] != s.depth:
            raise ValueError(f"built for {s.depth} thick slices, found {x_B1ZYX.shape[2]}")
        embedded_BZYXC = self.embedding(pad_to(x_B1ZYX, s.fold)[:, 0, ..., None])
        encoded_BYXS = self.encoder(stack_slices(embedded_BZYXC))
        state_BZYXC = self.tokens(unstack_slices(encoded_BYXS, s.depth))
        for tab, plane in zip(self.tabs, self.planes):
            state_BZYXC = unstack_slices(plane(stack_slices(tab(state_BZYXC))), s.slices)
        # Subtract the z code, which the bias could represent, to start from the values alone.
        code_ZC = self.tab_gain**s.modules * self.z_code_ZC
        values_BYXZ = self.projection(stack_slices(state_BZYXC - code_ZC[:, None, None]))
        return values_BYXZ.permute(0, 3, 1, 2)[:, None, :, :y, :x]
