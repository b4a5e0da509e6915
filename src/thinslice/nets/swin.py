"""Swin transformer layers on a grid of any size: the building block of TVSRN.

A stack alternates windows that start at the grid's corner with windows shifted by half of one, so
that information crosses the borders of windows. Grids that are no multiple of the window are padded
with zeros at their far ends; padding is masked out of every attention and cropped again.

Source: Liu et al., "Swin transformer: hierarchical vision transformer using shifted windows",
ICCV 2021: pre-norm blocks, learned relative position bias, additive shift mask of -100, exact GELU,
MLP ratio 4, normal(0.02) initial weights. Differs: the windows need not be square, and an axis of
a single window is not shifted.

Shape suffixes: B batch, Y X grid, C channels, H heads, T tokens of one window, R residual branches.
"""

from math import prod

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from thinslice.nets.kept import Keeps
from thinslice.nets.windowed_block import Weights, windowed_block
from thinslice.nets.windows import whole, windows_of

Window = tuple[int, ...]


def relative_index(window: Window) -> Tensor:
    """Row of the bias table for each (query, key) of a window, [T, T]; the last axis runs first."""
    places = torch.meshgrid(*(torch.arange(n) for n in window), indexing="ij")
    row_TT = torch.zeros((), dtype=torch.long)
    for place, n in zip(places, window):
        apart_TT = place.flatten()[:, None] - place.flatten()
        row_TT = row_TT * (2 * n - 1) + apart_TT + n - 1
    return row_TT


class SwinBlock(nn.Module, Keeps):
    """Window attention, then an MLP; each normalised before and added to its input."""

    def __init__(
        self, width: int, heads: int, window: Window, shift: Window, drop_path: float = 0.0
    ):
        super().__init__()
        if width % heads:
            raise ValueError(f"{width} channels do not divide into {heads} heads")
        self.window, self.shift, self.drop_path = window, shift, drop_path
        self.norm1 = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        positions = prod(2 * n - 1 for n in window)
        self.position_bias = nn.Parameter(torch.zeros(positions, heads))
        self.proj = nn.Linear(width, width)
        self.norm2 = nn.LayerNorm(width)
        self.fc1 = nn.Linear(width, 4 * width)
        self.fc2 = nn.Linear(4 * width, width)
        self.relative_index_TT: Tensor
        self.register_buffer("relative_index_TT", relative_index(window), persistent=False)
        self._initialise()

    def _initialise(self) -> None:
        nn.init.trunc_normal_(self.position_bias, std=0.02)
        for layer in (self.qkv, self.proj, self.fc1, self.fc2):
            nn.init.trunc_normal_(layer.weight, std=0.02)
            nn.init.zeros_(layer.bias)

    def bias_HTT(self) -> Tensor:  # noqa: N802
        """The relative position bias of every head."""
        return self.position_bias[self.relative_index_TT].permute(2, 0, 1)

    def weights(self) -> Weights:
        """The block's parameters, in the order of use."""
        layers = (self.norm1, self.qkv, self.proj, self.norm2, self.fc1, self.fc2)
        return Weights(*(p for layer in layers for p in (layer.weight, layer.bias)))

    def keep_RB(self, x_BYXC: Tensor) -> Tensor | None:  # noqa: N802
        """Drop path: the scale of every branch, 0 where dropped; None outside training."""
        if not self.training or self.drop_path == 0:
            return None
        keep_RB = torch.rand(2, len(x_BYXC), device=x_BYXC.device) >= self.drop_path
        return keep_RB.to(x_BYXC.dtype) / (1 - self.drop_path)

    def forward(self, x_BYXC: Tensor, real: tuple[int, int]) -> Tensor:
        """[B, Y, X, C] to the same; Y and X are whole windows, beyond ``real`` is padding."""
        windows = windows_of(real, self.window, self.shift, x_BYXC.device)
        keep_RB = self.keep_RB(x_BYXC)
        return windowed_block(x_BYXC, self.bias_HTT(), windows, self.weights(), keep_RB, self.room)


class SwinStack(nn.Module):
    """Blocks in sequence, every second one shifted; any grid, any batch."""

    def __init__(
        self, width: int, heads: int, window: tuple[int, int], depth: int, drop_paths: list[float]
    ):
        super().__init__()
        if len(drop_paths) != depth:
            raise ValueError(f"{depth} blocks need {depth} drop rates, found {len(drop_paths)}")
        self.window = window
        half = (window[0] // 2, window[1] // 2)
        self.blocks = nn.ModuleList(
            SwinBlock(width, heads, window, half if i % 2 else (0, 0), drop_paths[i])
            for i in range(depth)
        )

    def forward(self, x_BYXC: Tensor) -> Tensor:
        """[B, Y, X, C] to the same shape."""
        real = (x_BYXC.shape[1], x_BYXC.shape[2])
        y, x = (whole(n, w) - n for n, w in zip(real, self.window))
        if y or x:
            x_BYXC = pad(x_BYXC, (0, 0, 0, x, 0, y))
        for block in self.blocks:
            x_BYXC = block(x_BYXC, real)
        return x_BYXC[:, : real[0], : real[1]]


def drop_path_rates(last: float, depth: int) -> list[float]:
    """Drop rates of a stack: linear from 0 to ``last``."""
    return torch.linspace(0, last, depth).tolist()
