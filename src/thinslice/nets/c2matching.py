"""C2-Matching: features of a reference, gathered where the like of every pixel was found.

Two extractors (``nets.contrastive``), trained beforehand and then left alone, see the plane, coarse
along z, and the reference, fine; patches of their features are compared. At a quarter, half and the
full size fixed features of the reference (``nets.vgg``) are gathered for the plane by deformable
convolutions, a convolution joins the two, and residual blocks make more of it. LMR's authors built
theirs on it, so all but the join is written there (``nets.mrefsr``).

Source: Jiang et al., "Robust reference-based super-resolution via C2-Matching", CVPR 2021, written
from a description; tests compare ``restoration`` with the outputs of the released code, 8,865,547
parameters. What differs for our planes is as in ``nets.mrefsr``, but for the extractors.

Shape suffixes: B planes, C channels or features, H W axes of a map; Z W a plane's, Y X a
reference's.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu

from thinslice.nets.contrastive import Extractors, Frozen
from thinslice.nets.mrefsr import MRefSR, PlanesOfMRefSR, Sizes
from thinslice.nets.srntt import SLOPE, conv


class Join(nn.Module):
    """Content x_BCHW and what was gathered of one reference to features."""

    def __init__(self, channels: int, maps: int):
        super().__init__()
        self.both = conv(channels + maps, channels)

    def forward(self, x_BCHW: Tensor, gathered: Sequence[Tensor]) -> Tensor:
        """ValueError unless there is one reference."""
        if len(gathered) != 1:
            raise ValueError(f"C2-Matching takes one reference, found {len(gathered)}")
        return leaky_relu(self.both(torch.cat([x_BCHW, gathered[0]], 1)), SLOPE)


def restoration(sizes: Sizes) -> MRefSR:
    """The authors' network of the third stage."""
    return MRefSR(sizes, Join)


class PlanesOfC2Matching(PlanesOfMRefSR):
    """Interpolated planes and one axial slice to corrected planes; see the module docstring."""

    merge = Join

    def __init__(
        self,
        channels: int,
        blocks: int,
        groups: int,
        maps: tuple[int, int, int],
        extractor: tuple[int, int, int],
    ):
        super().__init__(channels, blocks, groups, maps)
        self.find = Frozen(Extractors(extractor))

    def searched(self, reference_1CYX: Tensor) -> Tensor:
        """Features of the slice as it is."""
        return self.find("reference", reference_1CYX[:, :1])

    def sought(self, x_B1ZW: Tensor) -> Tensor:
        """Features of planes, which look like those of fine slices."""
        return self.find("plane", x_B1ZW)
