"""The two-stage CNN's network: ten small convolutions and a sub-pixel layer amid them.

Six convolutions see the coarse plane and give as many channels as one coarse pixel becomes fine
ones; these are set side by side (the intermediate plane P), and four more convolutions refine it
(the final plane O). The in-plane network makes r x r pixels of one, the through-plane network r
along the first axis alone. ReLU follows every convolution, the two that give P and O included, so
neither is ever negative. Planes are grey levels, 0 to 255, without further scaling: nothing of the
input is added to the output, the network makes the whole plane.

Source: Georgescu et al., "Convolutional neural networks with intermediate loss for 3D
super-resolution of CT and MRI scans", IEEE Access 2020; names of weights from the public code.
Differs: convolutions that give P and O start with the absolute values of what was drawn. All they
see is positive, so weights that sum below zero give a plane of zeros that nothing can be learned
from, and one draw in two does.

Shape suffixes: B planes, C channels, P and Q a plane's axes (z first where one is z).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

LEVELS = 255.0  # the highest grey level
REACH = 10  # coarse pixels it sees to each side, at most: six convolutions and four
FIRST = ["conv2d", *(f"conv2d_{i}" for i in range(1, 6))]  # the authors' names
SECOND = [f"last_layer_{i}" for i in (1, 2, 3, 5)]
THROUGH_PLANE = "depth_net/"  # what these begin with in their through-plane network


@dataclass(frozen=True)
class Sizes:
    """What shapes the network; tables I and II of the paper vary these."""

    channels: int = 32
    second_block: bool = True  # False: O is P, the sub-pixel network of Shi et al. 2016
    short_skip: bool = True  # convolution 1 to 3, and 7 to 9
    long_skip: bool = True  # convolution 1 to 5


class SubPixel(nn.Module):
    """Channel (i * s + j) of a pixel becomes its fine pixel (i, j); [B, r s, P, Q] to one."""

    def __init__(self, scale: tuple[int, int]):
        super().__init__()
        self.scale = scale

    def forward(self, x_BCPQ: Tensor) -> Tensor:
        parts = x_BCPQ.unflatten(1, self.scale).permute(0, 3, 1, 4, 2)
        return parts.flatten(3, 4).flatten(1, 2)[:, None]


class TwoBlocks(nn.Module):
    """x_B1PQ in 0..255 to a plane finer by ``scale``."""

    def __init__(self, scale: tuple[int, int], sizes: Sizes):
        super().__init__()
        self.scale, self.sizes = scale, sizes
        c = sizes.channels
        widths = [1, c, c, c, c, c, scale[0] * scale[1]]
        self.first = nn.ModuleList(_convolution(a, b) for a, b in pairwise(widths))
        self.shuffle = SubPixel(scale)
        widths = [1, c, c, c, 1] if sizes.second_block else []
        self.second = nn.ModuleList(_convolution(a, b) for a, b in pairwise(widths))
        with torch.no_grad():
            for block in filter(len, (self.first, self.second)):
                block[-1].weight.abs_()  # type: ignore[operator]

    def forward(self, x_B1PQ: Tensor) -> Tensor:
        """The final plane O."""
        return self.planes(x_B1PQ)[0]

    def planes(self, x_B1PQ: Tensor) -> tuple[Tensor, Tensor]:
        """O and the intermediate plane P, which the loss looks at too."""
        short, long = self.sizes.short_skip, self.sizes.long_skip
        one, two, three, four, five, last = self.first
        a_BCPQ = one(x_B1PQ).relu()
        b_BCPQ = three(two(a_BCPQ).relu()).relu()
        b_BCPQ = b_BCPQ + a_BCPQ if short else b_BCPQ
        c_BCPQ = five(four(b_BCPQ).relu()).relu()
        c_BCPQ = c_BCPQ + a_BCPQ if long else c_BCPQ
        p_B1PQ = self.shuffle(last(c_BCPQ).relu())
        if not len(self.second):
            return p_B1PQ, p_B1PQ
        seven, eight, nine, ten = self.second
        d_BCPQ = seven(p_B1PQ).relu()
        e_BCPQ = nine(eight(d_BCPQ).relu()).relu()
        e_BCPQ = e_BCPQ + d_BCPQ if short else e_BCPQ
        return ten(e_BCPQ).relu(), p_B1PQ


def in_plane(factor: int, sizes: Sizes) -> TwoBlocks:
    """``factor`` times the pixels along both axes of an axial plane."""
    return TwoBlocks((factor, factor), sizes)


def through_plane(factor: int, sizes: Sizes) -> TwoBlocks:
    """``factor`` times the slices of a coronal or sagittal plane, z its first axis."""
    return TwoBlocks((factor, 1), sizes)


def from_authors(weights: Mapping[str, Tensor], scale: tuple[int, int]) -> dict[str, Tensor]:
    """The authors' weights by our names, for a network of this ``scale``.

    Their kernels are stored (row, column, in, out). Their in-plane shuffle counts down a column
    first, ours along a row. Their through-plane network widens columns where ours adds rows, so its
    kernels are turned over. ValueError for weights that have no place or are missing.
    """
    weights = {name.removeprefix(THROUGH_PLANE): w for name, w in weights.items()}
    names = {f"{name}/{part}" for name in FIRST + SECOND for part in ("kernel", "bias")}
    if odd := sorted(names ^ set(weights)):
        raise ValueError(f"weights that have no place in the two-stage CNN, or miss: {odd}")
    out: dict[str, Tensor] = {}
    places = [*((f"first.{i}", n) for i, n in enumerate(FIRST))]
    places += [(f"second.{i}", n) for i, n in enumerate(SECOND)]
    for place, name in places:
        kernel = weights[f"{name}/kernel"].permute(3, 2, 0, 1)
        out[f"{place}.weight"] = kernel if scale[1] > 1 else kernel.transpose(2, 3)
        out[f"{place}.bias"] = weights[f"{name}/bias"]
    if scale[1] > 1:
        for part in ("weight", "bias"):
            last = out[f"first.5.{part}"]
            out[f"first.5.{part}"] = last.unflatten(0, scale).transpose(0, 1).flatten(0, 1)
    return {name: tensor.contiguous() for name, tensor in out.items()}


def _convolution(channels_in: int, channels_out: int) -> nn.Conv2d:
    made = nn.Conv2d(channels_in, channels_out, 3, padding=1)
    nn.init.xavier_uniform_(made.weight)
    nn.init.zeros_(made.bias)  # type: ignore[arg-type]
    return made
