"""A U-Net that is told how much noise there is, for planes (2-D) or cubes (3-D).

Every block has two convolutions of 3 and a skip; between them features are scaled and shifted by
what a small network makes of the noise level, and of a slice's phase where there is one: at another
place between two thick slices the same neighbours say another thing. The encoder pools averages and
doubles the features, the decoder repeats voxels and concatenates. The last layer starts at zero.
After Ho et al. 2020, without norms and attention, so that tiles answer like whole planes.

Shape suffixes: B samples, C channels or features, * the axes of a plane or a cube.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, silu

FREQUENCIES = 8  # of the code of a noise level
WAVES = 4  # of the code of a phase


class NoiseCode(nn.Module):
    """Features [B, C] of noise levels [B]: sines of their logarithm, through two layers."""

    def __init__(self, features: int):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(2 * FREQUENCIES, features), nn.SiLU(), nn.Linear(features, features)
        )

    def forward(self, level_B: Tensor) -> Tensor:
        turns = 2.0 ** torch.arange(FREQUENCIES, device=level_B.device, dtype=level_B.dtype)
        angle = level_B.log()[:, None] * turns * (math.pi / 32)
        return silu(self.layers(torch.cat((angle.sin(), angle.cos()), 1)))


class PhaseCode(nn.Module):
    """Features [B, C] of phases [B], 0 to 1 and round again: waves, through two layers."""

    def __init__(self, features: int):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(2 * WAVES, features), nn.SiLU(), nn.Linear(features, features)
        )

    def forward(self, phase_B: Tensor) -> Tensor:
        turns = torch.arange(1, WAVES + 1, device=phase_B.device, dtype=phase_B.dtype)
        angle = phase_B[:, None] * turns * (2 * math.pi)
        return silu(self.layers(torch.cat((angle.sin(), angle.cos()), 1)))


class Block(nn.Module):
    """Two convolutions, scaled and shifted between them by the noise, and a skip over both."""

    def __init__(self, dims: int, inputs: int, outputs: int, code: int):
        super().__init__()
        conv = (nn.Conv2d, nn.Conv3d)[dims - 2]
        self.first = conv(inputs, outputs, 3, padding=1)
        self.second = conv(outputs, outputs, 3, padding=1)
        self.skip = conv(inputs, outputs, 1) if inputs != outputs else nn.Identity()
        self.noise = nn.Linear(code, 2 * outputs)

    def forward(self, x: Tensor, code_BC: Tensor) -> Tensor:
        scale, shift = self.noise(code_BC)[(..., *[None] * (x.ndim - 2))].chunk(2, 1)
        return self.skip(x) + self.second(silu(self.first(silu(x)) * (1 + scale) + shift))


class ScoreUNet(nn.Module):
    """x_BC* and noise levels [B] to y_BC* of the same size, multiples of ``align``.

    dims       2 or 3
    inputs     channels of x
    outputs    channels of y
    channels   features of the finest level; each level down has twice as many
    levels     of resolution
    phased     it is told phases [B], too
    """

    def __init__(
        self,
        dims: int,
        inputs: int,
        outputs: int,
        channels: int = 64,
        levels: int = 4,
        phased: bool = False,
    ):
        super().__init__()
        if dims not in (2, 3) or min(inputs, outputs, channels, levels) < 1:
            raise ValueError(f"a U-Net of 2 or 3 axes and at least one channel, found {dims=}")
        conv = (nn.Conv2d, nn.Conv3d)[dims - 2]
        widths = [channels * 2**level for level in range(levels)]
        code = 4 * channels
        self.levels, self.dims = levels, dims
        self.code = NoiseCode(code)
        self.phase = PhaseCode(code) if phased else None
        self.head = conv(inputs, channels, 3, padding=1)
        into = [channels, *widths[:-1]]
        self.down = nn.ModuleList(Block(dims, a, b, code) for a, b in zip(into, widths))
        self.up = nn.ModuleList(
            Block(dims, widths[k] + widths[k + 1], widths[k], code)
            for k in range(levels - 2, -1, -1)
        )
        self.tail = conv(channels, outputs, 3, padding=1)
        for start in self.tail.parameters():
            nn.init.zeros_(start)

    @property
    def align(self) -> int:
        """Pixels of the finest level in one of the coarsest, along an axis."""
        return 2 ** (self.levels - 1)

    @property
    def reach(self) -> int:
        """Receptive field, pixels to each side, for pooling cells at the same places."""
        blocks = sum(2 * 2**k for k in range(self.levels)) + sum(
            2 * 2**k + 2**k for k in range(self.levels - 1)
        )
        return 2 + blocks + self.align - 1

    def forward(self, x: Tensor, level_B: Tensor, phase_B: Tensor | None = None) -> Tensor:
        code_BC = self.code(level_B)
        if self.phase is not None:
            assert phase_B is not None
            code_BC = code_BC + self.phase(phase_B)
        pool = (nn.functional.avg_pool2d, nn.functional.avg_pool3d)[self.dims - 2]
        features: list[Tensor] = []
        state = self.head(x)
        for level, block in enumerate(self.down):
            state = block(pool(state, 2) if level else state, code_BC)
            features.append(state)
        state = self._up(features, code_BC)
        return self.tail(silu(state))

    def _up(self, features: Sequence[Tensor], code_BC: Tensor) -> Tensor:
        state = features[-1]
        for block, beside in zip(self.up, reversed(features[:-1])):
            state = interpolate(state, scale_factor=2.0, mode="nearest")
            state = block(torch.cat((state, beside), 1), code_BC)
        return state
