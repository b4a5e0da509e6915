"""CIMR in spirit: a pool of references, of which every patch takes the several best.

As ``nets.srntt``, but for what is found and how it counts. Patches are looked for by features of
three resolutions at once, in a pool of slices that need not resemble the plane; of each patch the
``best`` matches count, the more the better they fit. How much more is learned.

Source: the idea of Yan et al., "Towards content-independent multi-reference super-resolution:
adaptive pattern matching and feature aggregation", ECCV 2020, from its abstract and title: no code
of theirs is known to us, and the network around it is SRNTT's.

Shape suffixes: B planes, C features, H W a map's axes, R the best matches of a patch.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, pixel_unshuffle

from thinslice.nets import matched
from thinslice.nets.grey import STRETCHED
from thinslice.nets.matched import RATIOS, MatchedNet, pool
from thinslice.nets.patch_matching import Match, best_matches, swapped
from thinslice.nets.referenced import Encoded
from thinslice.nets.srntt import CELL, SRNTT, Sizes, rest
from thinslice.nets.vgg import Features

SHARPNESS = 20.0  # first: a cosine that is 0.05 less counts e times less


class Width(NamedTuple):
    """What shapes the network, but for the features of references."""

    channels: int
    blocks: int
    best: int  # matches of a patch that count


class PlanesOfCIMR(MatchedNet):
    """Interpolated planes and axial slices to corrected planes; see the module docstring."""

    def __init__(self, width: Width, maps: tuple[int, int, int]):
        super().__init__(maps)
        self.width = width
        self.net = SRNTT(Sizes(width.channels, width.blocks, maps, CELL**2, 1, False, False))
        self.sharpness = nn.Parameter(torch.tensor(SHARPNESS))
        rest(self.net.transfers)

    @property
    def reach(self) -> int:
        """Pixels: of convolutions at three resolutions, and of what is found."""
        body = 2 * self.width.blocks
        return 4 * (3 + 2 * body) + 2 * (2 + body) + (3 + body) + matched.REACH

    def searched(self, reference_1CYX: Tensor) -> Tensor:
        """Features of a slice to find the like of planes in, at a quarter of the size."""
        return together(self.seen(reference_1CYX[:, 1:]))

    def sought(self, x_B1ZW: Tensor) -> Tensor:
        """Features of planes to be found there."""
        return together(self.seen(x_B1ZW))

    def correction(self, x_B1ZW: Tensor, references: Sequence[Encoded]) -> Tensor:
        patches_DM, pixels_KM, blocks = pool(references)
        matches = best_matches(self.sought(x_B1ZW), patches_DM, self.width.best)
        shares = self.shares(matches)
        maps = []
        for blocks_CP, ratio in zip(blocks, RATIOS):
            parts = [
                swapped(blocks_CP, pixels_KM, match.index, ratio, share_BHW)
                for match, share_BHW in zip(matches, shares)
            ]
            maps.append(sum(parts[1:], start=parts[0]))
        coarse_BChw = pixel_unshuffle(STRETCHED.seen(x_B1ZW), CELL)
        return STRETCHED.correction(self.net(coarse_BChw, maps))

    def shares(self, matches: Sequence[Match]) -> Tensor:
        """How much each of the best matches of a patch counts, [R, B, H, W]; together one."""
        return (self.sharpness * torch.stack([match.score for match in matches])).softmax(0)


def together(features: Features) -> Tensor:
    """Features of three resolutions at the coarsest, each of length one at every pixel."""
    maps = (features.coarse, avg_pool2d(features.middle, 2), avg_pool2d(features.fine, 4))
    return torch.cat([nn.functional.normalize(map_BCHW, dim=1) for map_BCHW in maps], 1)
