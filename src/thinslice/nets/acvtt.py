"""ACVTT: a U-Net that transfers texture from axial slices to coronal and sagittal planes.

The axial slices (references) go through the same encoder as the plane; in the decoder, at every
level, the plane's features attend to those of the references (``nets.references``). A token is a
square of 8 x 8 pixels at every level, so tokens of all levels cover the same pixels (with more than
four levels a token is one pixel of the coarsest). Without references this is the plain U-Net.

Source: Uhm et al., "An anisotropic cross-view texture transfer with multi-reference non-local
attention for CT slice interpolation", section 3, and its released code: 9,246,401 parameters with
64 channels and four levels, 7,819,201 without references. Where the paper's text has the attention
on the encoder's features, its implementation section and the code have it on the decoder's, as
here. Planes and references may have any size, and references need not have one size.

Differs: keys and values of the references are computed once for all planes (``with_references``).

Shape suffixes: R references, B planes, Z slices, W columns or rows, Y X a reference's axes.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from thinslice.nets.grey import AS_STORED, Grey
from thinslice.nets.references import (
    Fusion,
    Offered,
    ReferenceAttention,
    ReferenceTokens,
    offered,
)
from thinslice.nets.unet import UNet, mirrored

TOKEN = 8  # pixels of a token, along an axis
ReferencePyramid = Sequence[Offered]  # of every level, finest first


class ACVTT(nn.Module):
    """x_B1ZW and references to y_B1ZW; see the module docstring.

    references   number of references; with 0 the network has no attention
    grey         how planes and references are seen; ``AS_STORED`` in the released code
    token        pixels of a token, along an axis
    """

    def __init__(
        self,
        channels: int = 64,
        levels: int = 4,
        references: int = 3,
        fusion: Fusion = "relevance",
        grey: Grey = AS_STORED,
        token: int = TOKEN,
    ):
        super().__init__()
        if references < 0:
            raise ValueError(f"references are 0 or more, found {references}")
        self.references = references
        self.unet = UNet(channels, levels, grey=grey)
        self.token = max(token, self.unet.align)
        self.transfers = nn.ModuleList(
            ReferenceAttention(width, self.token // 2**level, fusion)
            for level, width in enumerate(self.unet.widths if references else [])
        )

    @property
    def align(self) -> int:
        """Planes are padded to a multiple of this many pixels: a token, or a pooling cell."""
        return self.token if len(self.transfers) else self.unet.align

    @property
    def reach(self) -> int:
        """Receptive field, pixels to each side, for tokens at the same places."""
        return self.unet.reach + len(self.transfers) * (self.align - 1)

    def rest(self) -> None:
        """Initialise the weights so that the untrained network returns its input."""
        self.unet.rest()
        for attention in self._attentions():
            attention.rest()

    def encode_references(self, references: Sequence[Tensor]) -> ReferencePyramid:
        """Keys and values of references, each [1, Y, X]; one at a time, to bound memory.

        ValueError if their number is not the network's.
        """
        if len(references) != self.references:
            raise ValueError(f"built for {self.references} references, found {len(references)}")
        levels: list[list[ReferenceTokens]] = [[] for _ in self.transfers]
        for reference_1YX in references:
            encoded = self.unet.encode(mirrored(reference_1YX[None], self.align))
            for level, attention, features_1CYX in zip(levels, self._attentions(), encoded):
                level.append(attention.encode(features_1CYX))
        pyramid = []
        while levels:
            pyramid.append(offered(levels.pop(0)))  # values are held twice of one level alone
        return pyramid

    def _attentions(self) -> list[ReferenceAttention]:
        return [block for block in self.transfers if isinstance(block, ReferenceAttention)]

    def correct(self, x_B1ZW: Tensor, pyramid: ReferencePyramid) -> Tensor:
        """The planes, corrected by attention to what ``encode_references`` gave."""
        if not pyramid:
            return self.unet(x_B1ZW)
        z, w = x_B1ZW.shape[-2:]
        features = self.unet.encode(mirrored(x_B1ZW, self.align))
        correction_B1ZW = self.unet.decode(
            features, lambda level, x_BCZW: self.transfers[level](x_BCZW, pyramid[level])
        )
        return x_B1ZW + correction_B1ZW[..., :z, :w]

    def relevance(self, x_B1ZW: Tensor, pyramid: ReferencePyramid) -> Tensor:
        """Share of each reference at the finest level, [B, R, Z, W]; ValueError without any."""
        if not pyramid:
            raise ValueError("a network without references has no relevance of references")
        z, w = x_B1ZW.shape[-2:]
        attentions, shares = self._attentions(), []

        def transfer(level: int, x_BCZW: Tensor) -> Tensor:
            if level == 0:
                shares.append(attentions[0].relevance(x_BCZW, pyramid[0]))
            return attentions[level](x_BCZW, pyramid[level])

        self.unet.decode(self.unet.encode(mirrored(x_B1ZW, self.align)), transfer)
        across = shares[0].repeat_interleave(self.token, 2).repeat_interleave(self.token, 3)
        return across[..., :z, :w]

    def forward(self, x_B1ZW: Tensor, references: Sequence[Tensor] | Tensor = ()) -> Tensor:
        """Planes and references (a sequence, or [R, 1, Y, X]) to corrected planes."""
        return self.correct(x_B1ZW, self.encode_references(list(references)))

    def with_references(self, references: Sequence[Tensor]) -> "ReferencedACVTT":
        """The network with these references encoded, for any number of planes."""
        return ReferencedACVTT(self, self.encode_references(references))


class ReferencedACVTT(nn.Module):
    """x_B1ZW to y_B1ZW with stored keys and values; see ``ACVTT.with_references``."""

    def __init__(self, net: ACVTT, pyramid: ReferencePyramid):
        super().__init__()
        self.net = net
        self._references = [len(level.keys) for level in pyramid]
        for i, level in enumerate(pyramid):
            self.register_buffer(f"values_{i}", level.values, persistent=False)
            for r, keys_MD in enumerate(level.keys):
                self.register_buffer(f"keys_{i}_{r}", keys_MD, persistent=False)

    def _pyramid(self) -> ReferencePyramid:
        keys = [
            [getattr(self, f"keys_{i}_{r}") for r in range(n)]
            for i, n in enumerate(self._references)
        ]
        return [Offered(each, getattr(self, f"values_{i}")) for i, each in enumerate(keys)]

    def rounded(self, dtype: torch.dtype) -> "ReferencedACVTT":
        """The same network with keys and values in another number format."""
        pyramid = [
            Offered([keys_MD.to(dtype) for keys_MD in level.keys], level.values.to(dtype))
            for level in self._pyramid()
        ]
        return ReferencedACVTT(self.net, pyramid)

    def forward(self, x_B1ZW: Tensor) -> Tensor:
        return self.net.correct(x_B1ZW, self._pyramid())
