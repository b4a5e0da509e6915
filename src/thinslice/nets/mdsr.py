"""MDSR: one residual network for several factors, which share all but its entry and its exit.

A first convolution; for each factor two residual blocks of 5 x 5; residual blocks of 3 x 3 and a
convolution, with a skip over all of them; for each factor a sub-pixel convolution; a last
convolution for all. No norm, no scaling of residuals.

Source: Lim et al., "Enhanced deep residual networks for single image super-resolution", CVPR
Workshops 2017; written from a description, and tests compare the network with the outputs of the
authors' PyTorch version. Differs: z alone grows; any whole factor; one grey value for three
colours, moved and stretched (``nets.grey``) where the authors take off the mean colour. The paper
has no 3-D network: there the kernels are cubes.

Shape suffixes: B batch, F features, Z slices; in 2-D one more axis, in 3-D two.
"""

from dataclasses import dataclass

from torch import Tensor, nn

from thinslice.nets.along_z import convolution, finer, native, rest
from thinslice.nets.grey import STRETCHED


class Residual(nn.Module):
    """x + convolution(ReLU(convolution(x)))."""

    def __init__(self, dims: int, features: int, side: int):
        super().__init__()
        self.body = nn.Sequential(
            convolution(dims, features, features, side),
            nn.ReLU(inplace=True),
            convolution(dims, features, features, side),
        )

    def forward(self, x_BFZ: Tensor) -> Tensor:
        return x_BFZ + self.body(x_BFZ)


@dataclass(frozen=True)
class Sizes:
    """What shapes the network; the defaults are those of the authors' smaller one."""

    factors: tuple[int, ...] = (5,)  # native slices per thick increment, of which it serves each
    blocks: int = 16  # residual blocks that all factors share
    features: int = 64
    corrects: bool = False  # what is made is added to linear interpolation


class MDSR(nn.Module):
    """x_B1Z of thick slices, in 2-D or 3-D, and a factor, to native slices."""

    def __init__(self, dims: int, sizes: Sizes, axes: int = 1):
        super().__init__()
        s = self.sizes = sizes
        self.head = convolution(dims, 1, s.features)
        self.entries = nn.ModuleDict(
            {
                str(factor): nn.Sequential(*(Residual(dims, s.features, 5) for _ in range(2)))
                for factor in s.factors
            }
        )
        self.body = nn.Sequential(
            *(Residual(dims, s.features, 3) for _ in range(s.blocks)),
            convolution(dims, s.features, s.features),
        )
        self.exits = nn.ModuleDict(
            {str(factor): finer(dims, s.features, factor, axes) for factor in s.factors}
        )
        self.last = convolution(dims, s.features, 1)
        if s.corrects:
            rest(self.last)

    def features(self, x_B1Z: Tensor, factor: int) -> Tensor:
        """What the exit of a factor sees, [B, F, Z, ...]."""
        entered_BFZ = self.entries[str(factor)](self.head(x_B1Z))
        return entered_BFZ + self.body(entered_BFZ)

    def made(self, x_B1Z: Tensor, factor: int) -> Tensor:
        """What the last layer gives, finer by the factor along each axis that grows."""
        return self.last(self.exits[str(factor)](self.features(x_B1Z, factor)))

    def forward(self, x_B1Z: Tensor, factor: Tensor | int) -> Tensor:
        """Grey values to grey values, [B, 1, (Z - 1) * factor + 1, ...]."""
        made_B1N = self.made(STRETCHED.seen(x_B1Z), int(factor))
        return native(made_B1N, x_B1Z, int(factor), self.sizes.corrects)
