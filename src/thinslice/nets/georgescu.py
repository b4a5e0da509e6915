"""The two-stage CNN's network: ten small convolutions around a sub-pixel layer.

Six convolutions turn the coarse plane into as many channels as a coarse pixel has fine ones; a
sub-pixel layer arranges these as the intermediate plane P, and four more convolutions refine it to
the final plane O. The in-plane network makes r x r pixels of one, the through-plane network r
along the first axis alone. ReLU follows every convolution, the two that give P and O included, so
neither is ever negative. Planes are grey levels, 0 to 255, without further scaling. There is no
skip from input to output: the network makes the whole plane.

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
from math import isqrt

import torch
from torch import Tensor, nn

LEVELS = 255.0  # the highest grey level
REACH = 10  # receptive field, coarse pixels to each side, at most
FIRST = ["conv2d", *(f"conv2d_{i}" for i in range(1, 6))]  # the authors' names
SECOND = [f"last_layer_{i}" for i in (1, 2, 3, 5)]
THROUGH_PLANE = "depth_net/"  # prefix of the names in the through-plane network


@dataclass(frozen=True)
class Sizes:
    """Architecture of the network; tables I and II of the paper vary these."""

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
        """The final plane O and the intermediate plane P; the loss uses both."""
        short, long = self.sizes.short_skip, self.sizes.long_skip
        conv1, conv2, conv3, conv4, conv5, conv6 = self.first
        a_BCPQ = conv1(x_B1PQ).relu()
        b_BCPQ = conv3(conv2(a_BCPQ).relu()).relu()
        b_BCPQ = b_BCPQ + a_BCPQ if short else b_BCPQ
        c_BCPQ = conv5(conv4(b_BCPQ).relu()).relu()
        c_BCPQ = c_BCPQ + a_BCPQ if long else c_BCPQ
        p_B1PQ = self.shuffle(conv6(c_BCPQ).relu())
        if not len(self.second):
            return p_B1PQ, p_B1PQ
        conv7, conv8, conv9, conv10 = self.second
        d_BCPQ = conv7(p_B1PQ).relu()
        e_BCPQ = conv9(conv8(d_BCPQ).relu()).relu()
        e_BCPQ = e_BCPQ + d_BCPQ if short else e_BCPQ
        return conv10(e_BCPQ).relu(), p_B1PQ


def in_plane(factor: int, sizes: Sizes) -> TwoBlocks:
    """Network for ``factor`` times the pixels along both axes of an axial plane."""
    return TwoBlocks((factor, factor), sizes)


def through_plane(factor: int, sizes: Sizes) -> TwoBlocks:
    """Network for ``factor`` times the slices of a coronal or sagittal plane, z its first axis."""
    return TwoBlocks((factor, 1), sizes)


def factor_of(weights: Mapping[str, Tensor], *, in_plane: bool) -> int:
    """The factor that a network of the authors was made for; ValueError where none can be told."""
    ends = (f"{prefix}{FIRST[-1]}/bias" for prefix in ("", THROUGH_PLANE))
    channels = next((len(weights[name]) for name in ends if name in weights), 0)
    factor = isqrt(channels) if in_plane else channels
    if factor < 2 or (in_plane and factor**2 != channels):
        raise ValueError(f"{FIRST[-1]}/bias has {channels} numbers, which no factor asks for")
    return factor


def from_authors(weights: Mapping[str, Tensor], scale: tuple[int, int]) -> dict[str, Tensor]:
    """The authors' weights under our names, for a network of this ``scale``.

    Their kernels are stored (row, column, in, out). Their in-plane shuffle counts down a column
    first, ours along a row. Their through-plane network widens columns where ours adds rows, so its
    kernels are transposed. ValueError for unknown and missing weights.
    """
    weights = {name.removeprefix(THROUGH_PLANE): w for name, w in weights.items()}
    names = {f"{name}/{part}" for name in FIRST + SECOND for part in ("kernel", "bias")}
    if mismatch := sorted(names ^ set(weights)):
        raise ValueError(f"weights unknown to the two-stage CNN, or missing: {mismatch}")
    renamed: dict[str, Tensor] = {}
    layers = [*((f"first.{i}", n) for i, n in enumerate(FIRST))]
    layers += [(f"second.{i}", n) for i, n in enumerate(SECOND)]
    for layer, name in layers:
        kernel = weights[f"{name}/kernel"].permute(3, 2, 0, 1)
        renamed[f"{layer}.weight"] = kernel if scale[1] > 1 else kernel.transpose(2, 3)
        renamed[f"{layer}.bias"] = weights[f"{name}/bias"]
    if scale[1] > 1:
        for part in ("weight", "bias"):
            last = renamed[f"first.5.{part}"]
            renamed[f"first.5.{part}"] = last.unflatten(0, scale).transpose(0, 1).flatten(0, 1)
    return {name: tensor.contiguous() for name, tensor in renamed.items()}


def _convolution(channels_in: int, channels_out: int) -> nn.Conv2d:
    layer = nn.Conv2d(channels_in, channels_out, 3, padding=1)
    nn.init.xavier_uniform_(layer.weight)
    nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
    return layer
