"""What networks that make finer slices share: sub-pixel convolutions, and linear interpolation.

A sub-pixel convolution makes as many channels as there are finer samples and folds them in. Along z
alone, slice k * factor of the answer lies on thick slice k, so what follows the last thick slice is
cut off: n thick slices become (n - 1) * factor + 1 native ones.

Source of the sub-pixel convolutions: Shi et al. 2016, stages as in EDSR, MDSR and RDN (a power of
two by twos, anything else at once).

Shape suffixes: B batch, C channels, Z slices (thick), N slices (finer); any axes after Z.
"""

from collections.abc import Sequence
from itertools import chain
from math import prod

import torch
from torch import Tensor, nn

from thinslice.nets.grey import STRETCHED


def convolution(dims: int, inputs: int, outputs: int, side: int = 3) -> nn.Conv2d | nn.Conv3d:
    """A convolution in two or three dimensions that keeps the size."""
    kind = {2: nn.Conv2d, 3: nn.Conv3d}[dims]
    return kind(inputs, outputs, side, padding=side // 2)


class Fold(nn.Module):
    """Channels to finer samples along each axis: torch's ``pixel_shuffle`` with a factor per axis.

    [B, C * prod(factors), *sizes] to [B, C, *(sizes * factors)].
    """

    def __init__(self, factors: Sequence[int]):
        super().__init__()
        self.factors = tuple(factors)

    def forward(self, x: Tensor) -> Tensor:
        n, (b, channels, *sizes) = len(self.factors), x.shape
        x = x.reshape(b, channels // prod(self.factors), *self.factors, *sizes)
        order = chain.from_iterable((2 + n + axis, 2 + axis) for axis in range(n))
        finer = [size * factor for size, factor in zip(sizes, self.factors)]
        return x.permute(0, 1, *order).reshape(b, -1, *finer)


def stages(factor: int) -> list[int]:
    """Factors of successive sub-pixel convolutions: twos for a power of two, else one."""
    if factor & (factor - 1) == 0:
        return [2] * (factor.bit_length() - 1)
    return [factor]


def finer(dims: int, channels: int, factor: int, axes: int = 1) -> nn.Sequential:
    """Sub-pixel convolutions that make the first ``axes`` axes finer by ``factor``.

    The papers' networks grow along all axes; here z is the first and grows alone by default.
    """
    layers: list[nn.Module] = []
    for stage in stages(factor):
        factors = [stage if axis < axes else 1 for axis in range(dims)]
        layers += [convolution(dims, channels, channels * prod(factors)), Fold(factors)]
    return nn.Sequential(*layers)


def linear_at(x_B1Z: Tensor, at_BN: Tensor) -> Tensor:
    """Slices at fractional positions ``at_BN`` (of thick slices), linear, ends held: [B, 1, N]."""
    last = x_B1Z.shape[2] - 1
    at_BN = at_BN.clamp(0, last)
    low = at_BN.floor().long()
    share = (at_BN - low).to(x_B1Z.dtype)[(..., *[None] * (x_B1Z.ndim - 2))]
    batch = torch.arange(len(x_B1Z), device=x_B1Z.device)[:, None]
    slices = x_B1Z.transpose(1, 2)  # [B, Z, 1, ...]
    below, above = slices[batch, low], slices[batch, (low + 1).clamp(max=last)]
    return (below + (above - below) * share).transpose(1, 2)


def native(answer_B1N: Tensor, x_B1Z: Tensor, factor: int, corrects: bool) -> Tensor:
    """Grey values of the native slices from what a network's last layer gives.

    corrects   the answer is added to the linear interpolation of ``x_B1Z``; else to the middle grey
    """
    n = (x_B1Z.shape[2] - 1) * factor + 1
    change_B1N = STRETCHED.correction(answer_B1N[:, :, :n])
    if not corrects:
        return STRETCHED.middle + change_B1N
    at_N = torch.arange(n, device=x_B1Z.device) / factor
    return linear_at(x_B1Z, at_N.expand(len(x_B1Z), n)) + change_B1N


def rest(layer: nn.Module) -> None:
    """Set a layer to zero, so that what it corrects is unchanged before training."""
    for p in layer.parameters():
        nn.init.zeros_(p)
