"""U-Net on planes that is told how the slices were acquired: one network for any of them.

The network corrects the middle of neighbouring interpolated planes. Beside them it sees how far
every row lies from the nearest thick slice; what is the same all over the scan (``CONDITIONS``)
scales and shifts its features (FiLM, Perez et al. 2018). Everything else is a plain U-Net.

Shape suffixes: B planes, C channels, Z rows (slices), W columns, K conditions, F features.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d

from thinslice.nets.grey import STRETCHED
from thinslice.nets.unet import UNet, mirrored

HIDDEN = 32  # features between conditions and what they do to the network
SMALL = 0.02  # standard deviation of the last conditioning layer's first weights


class Conditions(NamedTuple):
    """What a network is told of a scan and of the slices wanted; lengths in mm."""

    thickness_mm: float  # of the thick slices
    increment_mm: float
    thin_thickness_mm: float  # of the slices wanted
    thin_increment_mm: float
    pixel_mm: float  # along the plane's columns
    noise_hu: float  # fine noise of a thick slice, see ``samplers.row_noise``
    bell: float | None = None  # profile: 0 a box, 1 a bell; None: unknown

    def numbers(self) -> list[float]:
        """About zero and of size one, as the network takes them."""
        return [
            math.log(self.thickness_mm / 4),
            2 * (self.increment_mm / self.thickness_mm - 0.8),
            math.log(self.thin_increment_mm),
            math.log(self.thin_thickness_mm / self.thin_increment_mm),
            math.log(self.pixel_mm / 0.7),
            math.log((self.noise_hu + 2) / 12),
            0.0 if self.bell is None else 2 * self.bell - 1,
            float(self.bell is not None),
        ]


N_CONDITIONS = len(Conditions(5, 5, 1, 1, 1, 10).numbers())


class ConditionedUNet(nn.Module):
    """x_BCZW to y_B1ZW: planes and as many maps of the distance to thick slices, in increments.

    ``conditions_BK`` are each plane's, or [1, K] where they are the same for all.
    """

    def __init__(self, channels: int = 16, levels: int = 4, neighbours: int = 2):
        super().__init__()
        if neighbours < 0:
            raise ValueError(f"neighbours are 0 or more, found {neighbours}")
        self.neighbours = neighbours
        self.unet = UNet(channels, levels, inputs=2 * neighbours + 2)
        self.unet.rest()
        widths = self.unet.widths
        self.sizes = [*widths, *widths[1:-1]]  # of the encoder, then of the decoder below the top
        self.conditioning = nn.Sequential(
            nn.Linear(N_CONDITIONS, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, 2 * sum(self.sizes))
        )
        nn.init.normal_(self.conditioning[2].weight, std=SMALL)  # type: ignore[arg-type]
        nn.init.zeros_(self.conditioning[2].bias)  # type: ignore[arg-type]

    @property
    def align(self) -> int:
        """Tiles start at multiples of it."""
        return self.unet.align

    @property
    def reach(self) -> int:
        """Receptive field, pixels to each side."""
        return self.unet.reach

    def forward(self, x_BCZW: Tensor, conditions_BK: Tensor) -> Tensor:
        p, q = x_BCZW.shape[-2:]
        seen = self._seen(mirrored(x_BCZW, self.align))
        scales = self.scales(conditions_BK)
        features = self._encoded(seen, scales)
        levels = len(features)

        def decoder(level: int, state: Tensor) -> Tensor:
            inner = 0 < level < levels - 1
            return _modulated(state, scales[levels + level - 1]) if inner else state

        correction = self.unet.decode(features, decoder)[..., :p, :q]
        middle = x_BCZW[:, self.neighbours : self.neighbours + 1]
        return middle + STRETCHED.correction(correction)

    def _seen(self, x_BCZW: Tensor) -> Tensor:
        n = 2 * self.neighbours + 1
        distance = x_BCZW[:, n + self.neighbours : n + self.neighbours + 1]
        return torch.cat((STRETCHED.seen(x_BCZW[:, :n]), 4 * (distance - 0.25)), 1)

    def scales(self, conditions_BK: Tensor) -> list[tuple[Tensor, Tensor]]:
        """What conditions do, level by level in the order of ``sizes``: factors and shifts."""
        parts = self.conditioning(conditions_BK).split([2 * size for size in self.sizes], 1)
        halves = (part[..., None, None].chunk(2, 1) for part in parts)
        return [(1 + scale, shift) for scale, shift in halves]

    def _encoded(self, x_BCZW: Tensor, scales: list[tuple[Tensor, Tensor]]) -> list[Tensor]:
        """Features of every level, finest first."""
        down = list(self.unet.down)
        features = [down[0](_modulated(self.unet.head(x_BCZW), scales[0]))]
        for block, scale in zip(down[1:], scales[1:]):
            features.append(_modulated(block(avg_pool2d(features[-1], 2)), scale))
        return features


def _modulated(state_BFZW: Tensor, scale: tuple[Tensor, Tensor]) -> Tensor:
    """Features scaled and shifted by what the conditions ask for."""
    return torch.addcmul(scale[1], state_BFZW, scale[0])
