"""What networks share that look for a plane's patches in axial slices, by features of VGG.

A patch is looked for in the slice made as coarse along its rows as the plane is along z, so that
both look alike; what is taken from there are features of the slice as it is, at a quarter, at half
and at full size.

Shape suffixes: B planes, C features, D numbers of a patch, M patches, P pixels, K those of a
patch.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from thinslice.nets import patch_matching, vgg
from thinslice.nets.patch_matching import as_blocks, best_match, pixels_of_patches, unit_patches
from thinslice.nets.referenced import Encoded, ReferencedNet
from thinslice.nets.vgg import VGG

RATIOS = (1, 2, 4)  # of a slice's maps to the coarsest one, which is first
REACH = vgg.REACH + 4 * (patch_matching.SIDE - 1)  # pixels, of what is found for a plane's pixel


class Reference(NamedTuple):
    """One slice, as it is kept for all planes."""

    patches: Tensor  # [D, M], to be searched, each of length one
    maps: tuple[Tensor, ...]  # [1, C, H, W] each, the coarsest first

    @property
    def width(self) -> int:
        """Pixels of a row of the coarsest map."""
        return self.maps[0].shape[-1]


class Pool(NamedTuple):
    """Several slices side by side."""

    patches: Tensor  # [D, M], to be searched
    pixels: Tensor  # [K, M] of each of them
    blocks: list[Tensor]  # [C, P]: maps as pixels of the coarsest, which is first


class LaidOut(NamedTuple):
    """Maps of references, patch by patch where planes have the like of it."""

    maps: list[Tensor]  # [B, C, H, W] each, the coarsest first
    score: Tensor  # of the best patches, cosine [B, H - 2, W - 2]
    index: Tensor  # likewise: their numbers


class MatchedNet(ReferencedNet):
    """A network that finds patches of planes in references; ``correction`` is left to write."""

    align = 16  # a patch of the coarsest map is twelve pixels wide

    def __init__(self, maps: tuple[int, int, int]):
        super().__init__()
        self.seen = VGG(maps)

    def encode(self, reference_1CYX: Tensor) -> Encoded:
        """Of a slice, and the slice with coarse rows, a ``Reference``, flat."""
        patches_DM = unit_patches(self.searched(reference_1CYX))
        return patches_DM, *reversed(self.seen(reference_1CYX[:, :1]))

    def searched(self, reference_1CYX: Tensor) -> Tensor:
        """Features of a slice to find the like of planes in, at a quarter of the size."""
        return self.seen(reference_1CYX[:, 1:]).coarse

    def sought(self, x_B1ZW: Tensor) -> Tensor:
        """Features of planes to be found there."""
        return self.seen(x_B1ZW).coarse

    def laid_out(self, x_B1ZW: Tensor, references: Sequence[Encoded]) -> LaidOut:
        """The best patches of all references together, as the planes have them."""
        patches_DM, pixels_KM, blocks = pool(references)
        match = best_match(self.sought(x_B1ZW), patches_DM)
        maps = [
            patch_matching.swapped(blocks_CP, pixels_KM, match.index, ratio)
            for blocks_CP, ratio in zip(blocks, RATIOS)
        ]
        return LaidOut(maps, match.score, match.index)


def reference(encoded: Encoded) -> Reference:
    """What ``MatchedNet.encode`` kept."""
    patches_DM, *maps = encoded
    return Reference(patches_DM, tuple(maps))


def pool(references: Sequence[Encoded]) -> Pool:
    """What ``MatchedNet.encode`` kept of several slices, side by side."""
    slices = [reference(encoded) for encoded in references]
    blocks = [
        torch.cat([as_blocks(map_1CHW, ratio) for map_1CHW in same_size], 1)
        for ratio, same_size in zip(RATIOS, zip(*(r.maps for r in slices)))
    ]
    pixels_KM = _numbered_through([r.maps[0] for r in slices])
    return Pool(torch.cat([r.patches for r in slices], 1), pixels_KM, blocks)


def _numbered_through(maps: Sequence[Tensor]) -> Tensor:
    """Pixels of the patches of maps that lie side by side, [K, M]."""
    numbers, first = [], 0
    for map_1CHW in maps:
        h, w = map_1CHW.shape[-2:]
        numbers.append(first + pixels_of_patches(h, w, map_1CHW.device))
        first += h * w
    return torch.cat(numbers, 1)
