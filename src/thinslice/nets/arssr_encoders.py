"""The three encoders of ArSSR: a thick block to features on its own voxels, 3-D.

``rdn`` is RDN's trunk and a convolution; ``rescnn`` three runs of six convolutions, each with a
skip, and the block itself added to every feature at the end (Du et al. 2020); ``srresnet`` is a
chain of residual blocks without norms, and without a skip over all of them (after Ledig et al.
2017).

Source: the code of Wu et al. (``nets.arssr``); written from a description, where it left a choice
the one that gives the authors' outputs; tests compare all three with them.

Shape suffixes: B batch, F features, Z Y X axes.
"""

from collections.abc import Callable

from torch import Tensor, nn

from thinslice.nets.along_z import convolution
from thinslice.nets.mdsr import Residual
from thinslice.nets.rdn import Trunk


class RDNEncoder(nn.Module):
    """RDN's trunk, and a convolution to the features wanted."""

    def __init__(self, blocks: int, layers: int, width: int, features: int):
        super().__init__()
        self.trunk = Trunk(3, blocks, layers, width, width)
        self.last = convolution(3, width, features)

    def forward(self, x_B1ZYX: Tensor) -> Tensor:
        return self.last(self.trunk(x_B1ZYX))


class ResCNNEncoder(nn.Module):
    """Runs of convolutions with a skip over each, and the block added to all features."""

    def __init__(self, runs: int, layers: int, width: int, features: int):
        super().__init__()
        self.first = convolution(3, 1, width)
        self.runs = nn.ModuleList(_run(layers, width) for _ in range(runs))
        self.last = convolution(3, width, features)

    def forward(self, x_B1ZYX: Tensor) -> Tensor:
        made = self.first(x_B1ZYX).relu()
        for run in self.runs:
            made = made + run(made)
        return self.last(made) + x_B1ZYX


def _run(layers: int, width: int) -> nn.Sequential:
    """Convolutions, each with a ReLU."""
    chain: list[nn.Module] = []
    for _ in range(layers):
        chain += [convolution(3, width, width), nn.ReLU()]
    return nn.Sequential(*chain)


class SRResNetEncoder(nn.Module):
    """Residual blocks between convolutions."""

    def __init__(self, blocks: int, width: int, features: int):
        super().__init__()
        self.layers = nn.Sequential(
            convolution(3, 1, width),
            *(Residual(3, width, 3) for _ in range(blocks)),
            convolution(3, width, width),
            convolution(3, width, features),
        )

    def forward(self, x_B1ZYX: Tensor) -> Tensor:
        return self.layers(x_B1ZYX)


ENCODERS: dict[str, Callable[..., nn.Module]] = {
    "rdn": RDNEncoder,
    "rescnn": ResCNNEncoder,
    "srresnet": SRResNetEncoder,
}
