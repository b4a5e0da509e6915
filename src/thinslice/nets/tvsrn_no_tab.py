"""TVSRN without through-plane attention: the paper's ablation of its through-plane block.

Otherwise it is TVSRN; slices still interact in the in-plane layers, where the features of all
slices at one place are stacked, but no layer works in a sagittal or coronal view.

Source: Yu et al., MICCAI 2022, section 3.3 (TVSRN w/o TAB, 1.56 M parameters printed; this reading
has 1.66 M).
"""

from torch import Tensor, nn

from thinslice.nets.tvsrn import TVSRN, Sizes


class NoThroughPlane(nn.Module):
    """Identity in the place of the through-plane block."""

    def __init__(self, sizes: Sizes):
        super().__init__()

    def forward(self, x_BZYXC: Tensor) -> Tensor:
        """The input itself."""
        return x_BZYXC


class TVSRNNoTAB(TVSRN):
    """TVSRN without through-plane blocks."""

    through_plane = NoThroughPlane
    tab_gain = 1.0
