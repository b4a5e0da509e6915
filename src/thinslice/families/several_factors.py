"""A cube method whose one network serves several factors: all that its training pairs have.

The network takes the factor beside the thick slices. Pairs are grouped by their factor; a training
step draws a group, the more often the more pairs it has, and a batch of it. A scan that asks for a
factor that no pair had is refused.

Source: Lim et al. 2017, who draw one factor per step.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from thinslice.families.base import Shape
from thinslice.families.cube import CubeMethod
from thinslice.interfaces import Pair
from thinslice.operators.grids import factor_of
from thinslice.training.batches import Batch, Sample

FACTOR = 1  # the tensor of a batch that all its samples share


class SeveralFactorsMethod(CubeMethod):
    """A fitted method; see the module docstring."""

    shared = (FACTOR,)

    @property
    def factors(self) -> list[int]:
        return (self.shape or self.usual)["factors"]

    def _shape_of(self, factors: Sequence[int]) -> Shape:
        return {"factors": sorted(set(factors))}

    def _shape_for(self, pairs: Sequence[Pair]) -> Shape:
        if self.recipe.settings.factor is not None:
            return self._shape_of([super()._shape_for(pairs)["factor"]])
        return self._shape_of([factor_of(pair.thick.grid, pair.thin.grid) for pair in pairs])

    def _shape_in(self, network: Mapping[str, Any]) -> Shape:
        factors = network.get("factors")
        whole = isinstance(factors, list) and factors and all(type(f) is int for f in factors)
        return {"factors": factors} if whole else self.usual  # ``weights.load`` refuses another

    def _build(self, shape: Shape) -> nn.Module:
        sizes: Any = self.recipe.sizes
        return self.recipe.network(replace(sizes, factors=tuple(shape["factors"])))

    def _for(self, factor: int) -> nn.Module:
        return _ForFactor(self._fitted(), factor)

    def _draw(self, pairs: Sequence[Pair], shape: Shape) -> Sample:
        groups: dict[int, list[Pair]] = {}
        for pair in pairs:
            groups.setdefault(factor_of(pair.thick.grid, pair.thin.grid), []).append(pair)
        samplers = {factor: self._cubes(group, factor) for factor, group in groups.items()}
        return ByFactor(samplers, {factor: len(group) for factor, group in groups.items()})


class ByFactor:
    """Draws batches (x, factor, y) of one factor each, in proportion to ``shares``."""

    def __init__(self, samplers: Mapping[int, Sample], shares: Mapping[int, int]):
        self.factors = sorted(samplers)
        self.samplers = samplers
        total = sum(shares.values())
        self.odds = [shares[factor] / total for factor in self.factors]

    def __call__(self, rng: np.random.Generator) -> Batch:
        factor = int(rng.choice(self.factors, p=self.odds))
        x, y = self.samplers[factor](rng)
        return x, torch.tensor(factor), y


class _ForFactor(nn.Module):
    """The network, asked for one factor."""

    def __init__(self, net: nn.Module, factor: int):
        super().__init__()
        self.net = net
        self.factor = factor

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x, self.factor)
