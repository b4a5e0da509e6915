"""ACVTT: a U-Net that takes texture for coronal and sagittal planes from axial slices.

The axial slices (references) go through the plane's own encoder; on the way up, at every level,
the plane's features look at those of the references (``nets.references``). A token is a square of
8 x 8 pixels at every level, so all levels match at the same places (more than four levels need
larger ones: a pixel of the coarsest). Without references this is the plain U-Net.

Source: Uhm et al., "An anisotropic cross-view texture transfer with multi-reference non-local
attention for CT slice interpolation", section 3, and its released code: 9,246,401 parameters with
64 channels and four levels, 7,819,201 without references. Where the paper's text has the attention
on the encoder's features, its implementation section and the code have it on the decoder's, as
here. Planes and references may have any size, and references need not have one size.

Differs: keys and values of the references are computed once for all planes (``seeing``).

Shape suffixes: R references, B planes, Z slices, W columns or rows, Y X a reference's axes.
"""

from collections.abc import Sequence

from torch import Tensor, nn

from thinslice.nets.references import Fusion, ReferenceAttention, Seen
from thinslice.nets.unet import UNet, mirrored

TOKEN = 8  # pixels of a token, along an axis
Sight = Sequence[Sequence[Seen]]  # of every level, finest first, every reference


class ACVTT(nn.Module):
    """See the module docstring. x_B1ZW and references to y_B1ZW.

    references   how many there will be; with 0 the network has no attention
    """

    def __init__(
        self,
        channels: int = 64,
        levels: int = 4,
        references: int = 3,
        fusion: Fusion = "relevance",
    ):
        super().__init__()
        if references < 0:
            raise ValueError(f"references are 0 or more, found {references}")
        self.references = references
        self.unet = UNet(channels, levels)
        token = max(TOKEN, self.unet.align)
        self.transfers = nn.ModuleList(
            ReferenceAttention(width, token // 2**level, fusion)
            for level, width in enumerate(self.unet.widths if references else [])
        )

    @property
    def align(self) -> int:
        """Sizes are continued to multiples of it: of a token, or of what pooling needs."""
        return max(TOKEN, self.unet.align) if len(self.transfers) else self.unet.align

    @property
    def reach(self) -> int:
        """Pixels of the plane to each side that can matter, where tokens stay the same."""
        return self.unet.reach + len(self.transfers) * (self.align - 1)

    def rest(self) -> None:
        """The U-Net at rest, and nothing added from references, until something is learned."""
        self.unet.rest()
        for attention in self._attentions():
            attention.rest()

    def look_at(self, references: Sequence[Tensor]) -> Sight:
        """Keys and values of references, each [1, Y, X]; one at a time, to bound memory.

        ValueError if there are not as many as the network is for.
        """
        if len(references) != self.references:
            raise ValueError(f"built for {self.references} references, found {len(references)}")
        sight: list[list[Seen]] = [[] for _ in self.transfers]
        for reference_1YX in references:
            encoded = self.unet.encode(mirrored(reference_1YX[None], self.align))
            for seen, attention, features_1CYX in zip(sight, self._attentions(), encoded):
                seen.append(attention.look_at(features_1CYX))
        return sight

    def _attentions(self) -> list[ReferenceAttention]:
        return [block for block in self.transfers if isinstance(block, ReferenceAttention)]

    def correct(self, x_B1ZW: Tensor, sight: Sight) -> Tensor:
        """The planes, corrected by what ``look_at`` gave."""
        if not sight:
            return self.unet(x_B1ZW)
        z, w = x_B1ZW.shape[-2:]
        features = self.unet.encode(mirrored(x_B1ZW, self.align))
        correction_B1ZW = self.unet.decode(
            features, lambda level, x_BCZW: self.transfers[level](x_BCZW, sight[level])
        )
        return x_B1ZW + correction_B1ZW[..., :z, :w]

    def forward(self, x_B1ZW: Tensor, references: Sequence[Tensor] | Tensor = ()) -> Tensor:
        """Planes and references (a sequence, or [R, 1, Y, X]) to corrected planes."""
        return self.correct(x_B1ZW, self.look_at(list(references)))

    def seeing(self, references: Sequence[Tensor]) -> "Seeing":
        """The network with these references in sight, for any number of planes."""
        return Seeing(self, self.look_at(references))


class Seeing(nn.Module):
    """x_B1ZW to y_B1ZW with the references' keys and values kept; ``ACVTT.seeing`` makes it."""

    def __init__(self, net: ACVTT, sight: Sight):
        super().__init__()
        self.net = net
        self._references = [len(level) for level in sight]
        for i, level in enumerate(sight):
            for r, seen in enumerate(level):
                self.register_buffer(f"keys_{i}_{r}", seen.keys, persistent=False)
                self.register_buffer(f"values_{i}_{r}", seen.values, persistent=False)

    def _sight(self) -> Sight:
        return [
            [
                Seen(getattr(self, f"keys_{i}_{r}"), getattr(self, f"values_{i}_{r}"))
                for r in range(n)
            ]
            for i, n in enumerate(self._references)
        ]

    def forward(self, x_B1ZW: Tensor) -> Tensor:
        return self.net.correct(x_B1ZW, self._sight())
