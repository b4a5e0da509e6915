"""I3Net: a few thick axial slices, as channels, become all slices of their slab.

Every block adds two branches to what it is given. One convolves at half the pixels (pixel-
unshuffle), where features of several slices mix. The other works on a slice's cosine transform, in
windows whose pixels and features a mixer combines. Three cross-view blocks convolve coronal and
sagittal planes, with rows or columns as channels, so a network is built for slices of ``size`` x
``size`` pixels; smaller ones are continued by their edge pixels.

Source: Song et al., "I3Net: inter-intra-slice interpolation network for medical slice synthesis",
IEEE TMI 2024, and its released code: 23,201,735 parameters with 64 features, for every second slice
of slabs of four. As there, slices that were seen take the place of those answered there, where
``Sizes.keep`` says so. ``start="linear"`` is ours: the network answers what linear interpolation
lacks, is linear interpolation until it is trained, and sees grey values stretched (``nets.grey``).

Shape suffixes: B slabs (or windows of them), S slices, C features, Y X pixels, N tokens: the pixels
of a window.
"""

from dataclasses import dataclass
from math import pi
from typing import Literal, get_args

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu, interpolate, pad, pixel_shuffle, pixel_unshuffle, relu

from thinslice.nets.grey import AS_STORED, STRETCHED

Start = Literal["learned", "linear"]


@dataclass(frozen=True)
class Sizes:
    """What shapes a network; ``factor`` comes with the training pairs, ``keep`` may."""

    size: int = 256  # pixels of a slice, along y and x
    depth: int = 4  # thick slices it sees
    channels: int = 64
    blocks: int = 16
    windows: int = 16  # of the cosine transform, along y and x
    factor: int = 5  # native slices per thick increment
    keep: bool = True  # thick slices are native slices as they are
    start: Start = "learned"  # of an untrained network; "linear": linear interpolation

    def __post_init__(self) -> None:
        if self.start not in get_args(Start):
            raise ValueError(f"start {self.start!r} is none of {', '.join(get_args(Start))}")
        if self.size % 4 or self.size % self.windows:
            raise ValueError(f"size {self.size} is no multiple of 4 and of {self.windows} windows")
        if self.blocks < 1 or self.blocks % 2:
            raise ValueError(f"blocks lie in two halves, as many in each, found {self.blocks}")

    @property
    def out(self) -> int:
        """Native slices it gives."""
        return (self.depth - 1) * self.factor + 1


class TwoConvolutions(nn.Module):
    """Two 3 x 3 convolutions with ReLU between them."""

    def __init__(self, inputs: int, inner: int, outputs: int):
        super().__init__()
        self.first = nn.Conv2d(inputs, inner, 3, padding=1)
        self.second = nn.Conv2d(inner, outputs, 3, padding=1)

    def forward(self, x_BCYX: Tensor) -> Tensor:
        return self.second(relu(self.first(x_BCYX)))


class InterSlice(nn.Module):
    """Convolutions at half the pixels, with four times the features."""

    def __init__(self, channels: int):
        super().__init__()
        self.body = TwoConvolutions(*(3 * [4 * channels]))
        self.last = nn.Conv2d(channels, channels, 1)

    def forward(self, x_BCYX: Tensor) -> Tensor:
        return self.last(pixel_shuffle(self.body(pixel_unshuffle(x_BCYX, 2)), 2))


class Mixer(nn.Module):
    """Tokens of a window mixed, then features, each by two layers; added to what came in."""

    def __init__(self, tokens: int, channels: int):
        super().__init__()
        self.norm_tokens = nn.LayerNorm(channels)
        self.tokens = nn.ModuleList(nn.Linear(tokens, tokens) for _ in range(2))
        self.norm_features = nn.LayerNorm(channels)
        self.features = nn.ModuleList(
            nn.Linear(a, b) for a, b in ((channels, 2 * channels), (2 * channels, channels))
        )

    def forward(self, x_BNC: Tensor) -> Tensor:
        mixed = self.norm_tokens(x_BNC).mT
        mixed = x_BNC + self.tokens[1](gelu(self.tokens[0](mixed))).mT
        inner = gelu(self.features[0](self.norm_features(mixed)))
        return x_BNC + mixed + self.features[1](inner)


class IntraSlice(nn.Module):
    """Convolutions and a mixer of windows, on the cosine transform of every feature."""

    cosines: Tensor  # float64, so that both precisions have it to theirs

    def __init__(self, sizes: Sizes):
        super().__init__()
        n, self.windows = sizes.channels, sizes.windows
        self.register_buffer("cosines", cosines(sizes.size), persistent=False)
        self.norm = nn.LayerNorm(n)
        self.convolutions = nn.ModuleList(nn.Conv2d(n, n, k, padding=k // 2) for k in (1, 3, 3))
        self.mixer = Mixer((sizes.size // sizes.windows) ** 2, n)
        self.last = nn.Conv2d(n, n, 1)

    def forward(self, x_BCYX: Tensor) -> Tensor:
        cosines_KX = self.cosines.to(x_BCYX.dtype)
        state = over_features(self.norm, cosines_KX @ x_BCYX @ cosines_KX.mT)
        for layer in self.convolutions:
            state = layer(state)
        state = from_windows(self.mixer(to_windows(state, self.windows)), self.windows, state.shape)
        return self.last(cosines_KX.mT @ state @ cosines_KX)


class CrossView(nn.Module):
    """Coronal and sagittal planes convolved, with rows or columns as channels, and added."""

    def __init__(self, sizes: Sizes):
        super().__init__()
        n, quarter = sizes.channels, sizes.size // 4
        self.norm = nn.LayerNorm(n)
        self.into = nn.ModuleList(nn.Conv2d(n, n, 1) for _ in range(2))
        self.bodies = nn.ModuleList(TwoConvolutions(*(3 * [quarter])) for _ in range(2))

    def forward(self, x_BCYX: Tensor) -> Tensor:
        state, made = over_features(self.norm, x_BCYX), x_BCYX
        # [B, Y, C, X], then [B, X, C, Y]: the axis that becomes channels, and the way back
        for into, body, way, back in zip(
            self.into, self.bodies, ((0, 2, 1, 3), (0, 3, 1, 2)), ((0, 2, 1, 3), (0, 2, 3, 1))
        ):
            planes = pixel_shuffle(into(state).permute(way), 2)
            made = made + pixel_unshuffle(body(planes), 2).permute(back)
        return made


class Block(nn.Module):
    """Both branches and a skip."""

    def __init__(self, sizes: Sizes):
        super().__init__()
        self.inter = InterSlice(sizes.channels)
        self.intra = IntraSlice(sizes)

    def forward(self, x_BCYX: Tensor) -> Tensor:
        return self.inter(x_BCYX) + self.intra(x_BCYX) + x_BCYX


class I3Net(nn.Module):
    """x_B1SYX of ``depth`` thick slices to y_B1SYX of ``out`` native ones."""

    def __init__(self, sizes: Sizes):
        super().__init__()
        n, self.sizes = sizes.channels, sizes
        self.least_side = sizes.size  # a smaller tile costs as much
        self.grey = STRETCHED if sizes.start == "linear" else AS_STORED
        self.head = TwoConvolutions(sizes.depth, n, n)
        self.blocks = nn.ModuleList(Block(sizes) for _ in range(sizes.blocks))
        self.views = nn.ModuleList(CrossView(sizes) for _ in range(3))
        self.fuse = nn.Conv2d(3 * n, n, 1)
        self.tail = TwoConvolutions(n, n, sizes.out)
        if sizes.start == "linear":
            for parameter in self.tail.second.parameters():
                nn.init.zeros_(parameter)

    def forward(self, x_B1SYX: Tensor) -> Tensor:
        *_, depth, rows, columns = x_B1SYX.shape
        beyond = (self.sizes.size - rows, self.sizes.size - columns)
        if min(beyond) < 0 or depth != self.sizes.depth:
            raise ValueError(
                f"built for {self.sizes.depth} slices of up to {self.sizes.size} pixels a side, "
                f"found {depth} of {rows} x {columns}"
            )
        x_BSYX = pad(x_B1SYX[:, 0], (0, beyond[1], 0, beyond[0]), "replicate")
        y_BSYX = self.grey.correction(self._answer(self.grey.seen(x_BSYX)))
        if self.sizes.start == "linear":
            y_BSYX = y_BSYX + linear(x_BSYX, self.sizes.out)
        if self.sizes.keep:
            y_BSYX[:, :: self.sizes.factor] = x_BSYX
        return y_BSYX[:, None, :, :rows, :columns]

    def _answer(self, x_BSYX: Tensor) -> Tensor:
        shallow = self.head(x_BSYX)
        half = len(self.blocks) // 2
        state = self.views[0](shallow)
        seen = [state]
        for view, blocks in zip(self.views[1:], (self.blocks[:half], self.blocks[half:])):
            for block in blocks:
                state = block(state)
            state = view(state)
            seen.append(state)
        return self.tail(self.fuse(torch.cat(seen, 1)) + shallow)


def cosines(n: int) -> Tensor:
    """The orthonormal cosine transform of ``n`` values, [n, n], float64."""
    frequency = torch.arange(n, dtype=torch.float64)[:, None]
    matrix = torch.cos(pi / n * frequency * (torch.arange(n, dtype=torch.float64) + 0.5))
    matrix *= (2 / n) ** 0.5
    matrix[0] /= 2**0.5
    return matrix


def over_features(norm: nn.Module, x_BCYX: Tensor) -> Tensor:
    """A norm of the last axis, applied to features."""
    return norm(x_BCYX.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


def to_windows(x_BCYX: Tensor, windows: int) -> Tensor:
    """[windows of all slabs, their pixels, features], of so many windows along y and x."""
    b, c, rows, columns = x_BCYX.shape
    cut = x_BCYX.view(b, c, windows, rows // windows, windows, columns // windows)
    return cut.permute(0, 2, 4, 3, 5, 1).reshape(b * windows**2, -1, c)


def from_windows(x_BNC: Tensor, windows: int, shape: torch.Size) -> Tensor:
    """What ``to_windows`` took apart, of this shape."""
    b, c, rows, columns = shape
    cut = x_BNC.view(b, windows, windows, rows // windows, columns // windows, c)
    return cut.permute(0, 5, 1, 3, 2, 4).reshape(shape)


def linear(x_BSYX: Tensor, out: int) -> Tensor:
    """Slices on and between those given, ``out`` in all, by linear interpolation."""
    if x_BSYX.shape[1] == 1:
        return x_BSYX.expand(-1, out, -1, -1)
    b, s, rows, columns = x_BSYX.shape
    lines = x_BSYX.reshape(b, 1, s, -1)
    made = interpolate(lines, (out, lines.shape[-1]), mode="bilinear", align_corners=True)
    return made.view(b, out, rows, columns)
