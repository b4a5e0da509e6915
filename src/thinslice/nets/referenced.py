"""A network that corrects planes with the scan's own axial slices in sight.

What a reference offers is worked out once (``encode``) and serves any number of planes. A reference
has as many channels as its family shows: the slice as it is, and perhaps the slice made as coarse
along its rows as planes are, in which pieces of planes are looked for (``operators``).

Planes and references may have any size; they are mirrored at their far edges to multiples of
``align``, and planes are cropped again.

Shape suffixes: R references, C channels, Y X a reference's axes; B planes, Z slices, W columns or
rows.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence

from torch import Tensor, nn

from thinslice.nets.unet import mirrored

Encoded = tuple[Tensor, ...]  # what a network keeps of one reference


class ReferencedNet(nn.Module, ABC):
    """x_B1ZW and references_RCYX to y_B1ZW: the planes and a correction of them."""

    align: int = 1  # sizes that ``encode`` and ``correction`` are given are multiples of it
    sees_whole_tile: bool = False  # its answer depends on the tile that it is given

    @property
    @abstractmethod
    def reach(self) -> int:
        """Receptive field, pixels to each side of a plane."""

    @abstractmethod
    def encode(self, reference_1CYX: Tensor) -> Encoded:
        """What the network keeps of one reference."""

    @abstractmethod
    def correction(self, x_B1ZW: Tensor, references: Sequence[Encoded]) -> Tensor:
        """What to add to the planes, [B, 1, Z, W]."""

    def corrected(self, x_B1ZW: Tensor, references: Sequence[Encoded]) -> Tensor:
        """Planes of any size, corrected."""
        z, w = x_B1ZW.shape[-2:]
        correction_B1ZW = self.correction(mirrored(x_B1ZW, self.align), references)
        return x_B1ZW + correction_B1ZW[..., :z, :w]

    def encoded(self, references: Sequence[Tensor] | Tensor) -> list[Encoded]:
        """Of each reference [C, Y, X] what the network keeps; ValueError without any."""
        if not len(references):
            raise ValueError("a network with references needs at least one")
        return [self.encode(mirrored(each_CYX[None], self.align)) for each_CYX in references]

    def forward(self, x_B1ZW: Tensor, references: Sequence[Tensor] | Tensor) -> Tensor:
        """Planes and references (a sequence, or [R, C, Y, X]) to corrected planes."""
        return self.corrected(x_B1ZW, self.encoded(references))

    def with_references(self, references: Sequence[Tensor]) -> "WithReferences":
        """The network with these references encoded, for any number of planes."""
        return WithReferences(self, self.encoded(references))


class WithReferences(nn.Module):
    """x_B1ZW to y_B1ZW with what is kept of references; see ``ReferencedNet.with_references``."""

    def __init__(self, net: ReferencedNet, references: Sequence[Encoded]):
        super().__init__()
        self.net, self.sees_whole_tile = net, net.sees_whole_tile
        self._sizes = [len(encoded) for encoded in references]
        for r, encoded in enumerate(references):
            for k, tensor in enumerate(encoded):
                self.register_buffer(f"reference_{r}_{k}", tensor, persistent=False)

    def forward(self, x_B1ZW: Tensor) -> Tensor:
        references = [
            tuple(getattr(self, f"reference_{r}_{k}") for k in range(n))
            for r, n in enumerate(self._sizes)
        ]
        return self.net.corrected(x_B1ZW, references)
