"""C2-Matching: features of a reference, gathered where the like of every pixel was found.

Two extractors (``nets.contrastive``), trained beforehand and then left alone, see the plane, coarse
along z, and the reference, fine; patches of their features are compared (``nets.patch_matching``).
At a quarter, half and the full size fixed features of the reference (``nets.vgg``) are gathered for
the plane by deformable convolutions, and residual blocks make more of both; between sizes sub-pixel
convolutions double the features.

Source: Jiang et al., "Robust reference-based super-resolution via C2-Matching", CVPR 2021, written
from a description; tests compare ``Restoration`` with the outputs of the released code, 8,865,547
parameters. Differs: a plane that is interpolated already is content of sixteen colours (4 x 4
pixels) at a quarter of its size, and what is made is added to it, from zero; offsets are learned
beside the reference's features at the place found, where the authors show those at the plane's own
place: a reference may have another size.

Shape suffixes: B planes, C colours or features, P Q axes of a map, K taps, Y X a reference's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu, pixel_unshuffle

from thinslice.nets import patch_matching
from thinslice.nets.contrastive import Extractors, Frozen
from thinslice.nets.deformable import DynamicAggregation, looked_up
from thinslice.nets.edsr import ResidualBlock
from thinslice.nets.grey import STRETCHED
from thinslice.nets.referenced import Encoded, ReferencedNet
from thinslice.nets.vgg import VGG

SLOPE = 0.1  # of leaky ReLUs
RATIOS = (1, 2, 4)  # pixels of a level's maps for one of the smallest
SHRINKS = RATIOS[-1]
CENTRE = 4  # of nine taps


@dataclass(frozen=True)
class Sizes:
    """Architecture; the defaults are the authors' but for the colours."""

    colours: int = SHRINKS**2  # of the content
    made: int = 1  # colours of the answer
    channels: int = 64
    blocks: int = 16  # of the content, and of every level
    groups: int = 8  # of features that are moved alike
    features: tuple[int, int, int] = (64, 128, 256)  # of the reference, the finest map first


class Maps(NamedTuple):
    """What is known of the reference at one level."""

    reference: Tensor  # [B or 1, C, Y, X], its features
    beside: Tensor  # [B, C, P, Q], those that are seen with the plane's
    ways: Tensor  # [B, K, 2, P, Q], rows and columns from a pixel to its like


class Level(nn.Module):
    """One size: the reference gathered, joined to the plane's features, residual blocks."""

    def __init__(self, sizes: Sizes, width: int, tail: nn.Module):
        super().__init__()
        c = sizes.channels
        self.offset1 = _conv(c + width, width)
        self.offset2 = _conv(width, width)
        self.gather = DynamicAggregation(width, sizes.groups)
        self.head = _conv(c + width, c)
        self.body = nn.Sequential(*(ResidualBlock(c) for _ in range(sizes.blocks)))
        self.tail = tail

    def forward(self, x_BCPQ: Tensor, maps: Maps) -> Tensor:
        about = leaky_relu(self.offset1(torch.cat([x_BCPQ, maps.beside], 1)), SLOPE)
        about = leaky_relu(self.offset2(about), SLOPE)
        gathered = leaky_relu(self.gather(maps.reference, about, maps.ways), SLOPE)
        joined = leaky_relu(self.head(torch.cat([x_BCPQ, gathered], 1)), SLOPE)
        return self.tail(x_BCPQ + self.body(joined))


class Restoration(nn.Module):
    """Content, and what is known of a reference at three levels, to four times the size."""

    def __init__(self, sizes: Sizes):
        super().__init__()
        s = sizes
        self.first = _conv(s.colours, s.channels)
        self.body = nn.Sequential(*(ResidualBlock(s.channels) for _ in range(s.blocks)))
        self.last = _conv(s.channels // 2, s.made)
        tails = (*(_doubled(s.channels) for _ in range(2)), _fewer(s.channels))
        self.levels = nn.ModuleList(
            Level(s, width, tail) for width, tail in zip(s.features[::-1], tails)
        )

    def forward(self, content_BCPQ: Tensor, maps: Sequence[Maps]) -> Tensor:
        """Levels have the smallest map first."""
        x = self.body(leaky_relu(self.first(content_BCPQ), SLOPE))
        for level, known in zip(self.levels, maps, strict=True):
            x = level(x, known)
        return self.last(x)


class C2Matching(ReferencedNet):
    """Planes and one axial slice to corrected planes; see the module docstring."""

    align = 16  # of a quarter's size four pixels remain, more than a patch has

    def __init__(self, sizes: Sizes, extractor: tuple[int, int, int]):
        super().__init__()
        self.blocks = sizes.blocks
        self.find = Frozen(Extractors(extractor))
        self.vgg = VGG(sizes.features)
        self.restoration = Restoration(sizes)
        for part in self.restoration.last.parameters():
            nn.init.zeros_(part)

    @property
    def reach(self) -> int:
        """Receptive field, pixels to each side: convolutions of all levels, and what is found."""
        layers = 2 * self.blocks
        return SHRINKS * (6 + 2 * layers) + 2 * (5 + layers) + (6 + layers) + 7 * SHRINKS

    def encode(self, reference_1CYX: Tensor) -> Encoded:
        """Patches to search, and features to gather, of the slice as it is."""
        slice_11YX = reference_1CYX[:, :1]
        with torch.no_grad():
            patches_DM = patch_matching.unit_patches(self.find("reference", slice_11YX))
        fine, middle, coarse = self.vgg(slice_11YX)
        return patches_DM, coarse, middle, fine

    def correction(self, x_B1ZW: Tensor, references: Sequence[Encoded]) -> Tensor:
        """ValueError unless there is one reference."""
        if len(references) != 1:
            raise ValueError(f"C2-Matching takes one reference, found {len(references)}")
        patches_DM, *maps = references[0]
        with torch.no_grad():
            index_BHW, _ = patch_matching.best_match(self.find("plane", x_B1ZW), patches_DM)
        width = maps[0].shape[-1]
        known = []
        for map_1CYX, ratio in zip(maps, RATIOS):
            ways = patch_matching.offsets(index_BHW, width, ratio).to(x_B1ZW.dtype)
            known.append(Maps(map_1CYX, _at_the_places(map_1CYX, ways[:, CENTRE]), ways))
        content = pixel_unshuffle(STRETCHED.seen(x_B1ZW), SHRINKS)
        return STRETCHED.correction(self.restoration(content, known))


def _at_the_places(map_1CYX: Tensor, ways_B2PQ: Tensor) -> Tensor:
    """Features at the like of every pixel, [B, C, P, Q]."""
    b, _, p, q = ways_B2PQ.shape
    rows = torch.arange(p, device=ways_B2PQ.device)[:, None] + ways_B2PQ[:, 0]
    columns = torch.arange(q, device=ways_B2PQ.device) + ways_B2PQ[:, 1]
    return looked_up(map_1CYX.expand(b, -1, -1, -1), rows, columns)


def _conv(inputs: int, outputs: int) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, padding=1)


def _doubled(channels: int) -> nn.Sequential:
    return nn.Sequential(_conv(channels, 4 * channels), nn.PixelShuffle(2), nn.LeakyReLU(SLOPE))


def _fewer(channels: int) -> nn.Sequential:
    return nn.Sequential(_conv(channels, channels // 2), nn.LeakyReLU(SLOPE))
