"""LMR (MRefSR): several references, each looked at where it fits, merged pixel by pixel.

A content network works at a quarter of the plane's size. For every reference apart, the places
where patches of the plane were found (``patch_matching``) send a deformable convolution into the
reference's features. What comes back from all references is merged by attention at every pixel,
scaled and shifted by learned maps, and joined with the content; residual blocks follow. So at a
quarter, at half and at full size. Any number of references will do.

Source: Zhang et al., "LMR: a large-scale multi-reference dataset for reference-based
super-resolution", ICCV 2023; ``MRefSR`` is the network of its public code, and tests compare the
two. ``PlanesOfMRefSR`` is it for our planes: see ``nets.srntt``, whose changes are made here too.
Besides, what the first offsets are predicted from is the reference laid out as the plane
(``swapped``), where theirs is the reference as it lies: ours has another size; and patches are
looked for by fixed features of VGG, as in SRNTT, where theirs are trained for it by contrast.

Shape suffixes: B planes, C channels or features, R references, h w the coarse axes, H W others.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu, pad, pixel_unshuffle

from thinslice.nets import matched, vgg
from thinslice.nets.deformable import DynamicAggregation
from thinslice.nets.grey import STRETCHED
from thinslice.nets.matched import RATIOS, MatchedNet
from thinslice.nets.mdsr import Residual
from thinslice.nets.patch_matching import offsets
from thinslice.nets.referenced import Encoded
from thinslice.nets.srntt import CELL, SCALES, SLOPE, conv, finer, lrelu, rest

EVEN = 4  # maps are mirrored out to multiples of it while they are merged


class Offered(NamedTuple):
    """What one reference offers planes at one resolution."""

    map: Tensor  # [1, C, H, W]: its features, where they lie
    about: Tensor  # [B, C, H, W], of the planes' size: what offsets are predicted from
    ways: Tensor  # [B, K, 2, H, W]: to where the planes' pixels were found in it


class Merge(nn.Module):
    """Content x_BcHW and what was gathered of references, R of [B, C, H, W], to features."""

    def __init__(self, channels: int, maps: int):
        super().__init__()
        self.scale = maps**-0.5
        both = channels + 2 * maps
        self.conv_emb1 = nn.Sequential(nn.Conv2d(channels, maps, 1), nn.PReLU())
        self.conv_emb2 = nn.Sequential(conv(maps, maps), nn.PReLU())
        self.conv_ass = conv(maps, 2 * maps)
        self.spatial_attn = nn.Conv2d(both, 2 * maps, 1)
        self.spatial_attn_mul1, self.spatial_attn_mul2 = (conv(2 * maps, 2 * maps) for _ in "12")
        self.spatial_attn_add1, self.spatial_attn_add2 = (conv(2 * maps, 2 * maps) for _ in "12")
        self.feat_fusion = nn.Conv2d(both, channels, 1)

    def forward(self, x_BCHW: Tensor, gathered: Sequence[Tensor]) -> Tensor:
        h, w = x_BCHW.shape[-2:]
        mirror = (0, -w % EVEN, 0, -h % EVEN)
        x_BCHW = pad(x_BCHW, mirror, mode="reflect")
        gathered = [pad(map_BCHW, mirror, mode="reflect") for map_BCHW in gathered]
        query_BCHW = self.conv_emb1(x_BCHW) * self.scale
        fits = [(query_BCHW * self.conv_emb2(map_BCHW)).sum(1) for map_BCHW in gathered]
        shares_RBHW = torch.stack(fits).softmax(0)
        parts = [
            share_BHW[:, None] * self.conv_ass(map_BCHW)
            for share_BHW, map_BCHW in zip(shares_RBHW, gathered)
        ]
        merged_BCHW = reduce(torch.add, parts)
        seen = leaky_relu(self.spatial_attn(torch.cat((x_BCHW, merged_BCHW), 1)), SLOPE)
        times = self.spatial_attn_mul2(leaky_relu(self.spatial_attn_mul1(seen), SLOPE)).sigmoid()
        plus = self.spatial_attn_add2(leaky_relu(self.spatial_attn_add1(seen), SLOPE))
        filtered_BCHW = merged_BCHW * times * 2 + plus
        fused = self.feat_fusion(torch.cat((x_BCHW, filtered_BCHW), 1))
        return leaky_relu(fused, SLOPE)[..., :h, :w]


MakesMerge = Callable[[int, int], nn.Module]  # of channels and maps, like ``Merge``


@dataclass(frozen=True)
class Sizes:
    """What shapes the network; the defaults are the authors', for colours and a finer answer."""

    channels: int = 64
    blocks: int = 16  # residual blocks of the content network, and of each resolution
    groups: int = 8  # of features that look the same way
    maps: tuple[int, int, int] = vgg.WIDTHS  # features of references, the finest first
    inputs: int = 3
    outputs: int = 3


class Transfer(nn.Module):
    """Content merged with what references offer, at one resolution."""

    def __init__(self, s: Sizes, maps: int, last: bool, merge: MakesMerge):
        super().__init__()
        c = s.channels
        self.offset_conv1, self.offset_conv2 = conv(c + maps, maps), conv(maps, maps)
        self.dyn_agg = DynamicAggregation(maps, s.groups)
        self.head = merge(c, maps)
        self.body = nn.Sequential(*(Residual(2, c, 3) for _ in range(s.blocks)))
        made = [conv(c, c // 2), lrelu(), conv(c // 2, s.outputs)]
        self.tail = nn.Sequential(*(made if last else finer(c)))

    def forward(self, x_BCHW: Tensor, references: Sequence[Offered]) -> Tensor:
        gathered = [self._gathered(x_BCHW, offered) for offered in references]
        return self.tail(x_BCHW + self.body(self.head(x_BCHW, gathered)))

    def _gathered(self, x_BCHW: Tensor, offered: Offered) -> Tensor:
        about = torch.cat((x_BCHW, offered.about), 1)
        for layer in (self.offset_conv1, self.offset_conv2):
            about = leaky_relu(layer(about), SLOPE)
        return leaky_relu(self.dyn_agg(offered.map, about, offered.ways), SLOPE)


class MRefSR(nn.Module):
    """Coarse x_BChw and what references offer to what is added to an interpolated answer."""

    def __init__(self, s: Sizes, merge: MakesMerge = Merge):
        super().__init__()
        self.first = nn.Sequential(conv(s.inputs, s.channels), lrelu())
        self.body = nn.Sequential(*(Residual(2, s.channels, 3) for _ in range(s.blocks)))
        self.transfers = nn.ModuleDict(
            {
                name: Transfer(s, maps, name == SCALES[-1], merge)
                for name, maps in zip(SCALES, reversed(s.maps))
            }
        )

    def forward(self, x_BChw: Tensor, scales: Sequence[Sequence[Offered]]) -> Tensor:
        """[B, outputs, 4 h, 4 w]; of each resolution, the coarsest first, what references offer."""
        features = self.body(self.first(x_BChw))
        for transfer, offered in zip(self.transfers.values(), scales):
            features = transfer(features, offered)
        return features


class PlanesOfMRefSR(MatchedNet):
    """Interpolated planes and axial slices to corrected planes; see the module docstring."""

    merge: MakesMerge = Merge

    def __init__(self, channels: int, blocks: int, groups: int, maps: tuple[int, int, int]):
        super().__init__(maps)
        self.blocks = blocks
        self.net = MRefSR(Sizes(channels, blocks, groups, maps, CELL**2, 1), type(self).merge)
        rest(self.net.transfers)

    @property
    def reach(self) -> int:
        """Pixels: of convolutions at three resolutions, and of what is found.

        Before the residual blocks of a resolution: two convolutions and one for the offsets, the
        kernel that they move, and three while references are merged.
        """
        body, before = 2 * self.blocks, 7
        layers = 4 * (2 + 2 * body + before) + 2 * (1 + body + before) + (2 + body + before)
        return layers + matched.REACH

    def correction(self, x_B1ZW: Tensor, references: Sequence[Encoded]) -> Tensor:
        offered = [self._offered(x_B1ZW, encoded) for encoded in references]
        coarse_BChw = pixel_unshuffle(STRETCHED.seen(x_B1ZW), CELL)
        return STRETCHED.correction(self.net(coarse_BChw, list(zip(*offered))))

    def _offered(self, x_B1ZW: Tensor, encoded: Encoded) -> list[Offered]:
        """Of one reference, the coarsest resolution first."""
        laid, reference = self.laid_out(x_B1ZW, [encoded]), matched.reference(encoded)
        return [
            Offered(map_1CHW, laid_BCHW, offsets(laid.index, reference.width, ratio))
            for map_1CHW, laid_BCHW, ratio in zip(reference.maps, laid.maps, RATIOS)
        ]
