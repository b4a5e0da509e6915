"""A variational autoencoder of cubes: thin scans as few numbers, and back.

Cubes of 2 x 2 x 2 voxels become features at once, and are made of features at the end (sub-voxel
convolution); every further level halves all axes again. After Kingma & Welling 2014 and Rombach et
al. 2022, without their adversarial and perceptual terms. Latents are the lowest frequencies of
blocks plus what the encoder adds, voxels what these say plus what the decoder adds; both add
nothing untrained. From first weights of chance, minutes of training do not teach it to copy.

Shape suffixes: B cubes, 1 channel, C latent channels, Z Y X; z y x 2 ** levels times fewer.
"""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool3d, interpolate, silu

from thinslice.nets.block_frequencies import BlockFrequencies
from thinslice.nets.grey import STRETCHED

FIRST_LOG_VARIANCE = -6.0  # of latents: a standard deviation of 0.05, where they are of size one


class Residual(nn.Module):
    """Two 3 x 3 x 3 convolutions and a skip."""

    def __init__(self, channels: int):
        super().__init__()
        self.first = nn.Conv3d(channels, channels, 3, padding=1)
        self.second = nn.Conv3d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.second(silu(self.first(silu(x))))


class Autoencoder(nn.Module):
    """x_B1ZYX in [0, 1] to itself, through latent_BCzyx; sizes are multiples of ``align``.

    channels   features of the finest level; each level down has twice as many
    levels     how often all axes are halved, the first time by folding
    latent     channels of what is between
    """

    def __init__(self, channels: int = 32, levels: int = 2, latent: int = 4):
        super().__init__()
        if min(channels, levels, latent) < 1:
            raise ValueError(f"an autoencoder starts at 1, found {channels=} {levels=} {latent=}")
        widths = [channels * 2**k for k in range(levels)]
        self.levels, self.latent = levels, latent
        self.head = nn.Sequential(nn.Conv3d(8, channels, 3, padding=1), Residual(channels))
        self.down = nn.ModuleList(
            nn.Sequential(nn.Conv3d(a, b, 3, padding=1), Residual(b)) for a, b in pairwise(widths)
        )
        self.narrow = nn.Conv3d(widths[-1], 2 * latent, 1)
        self.widen = nn.Conv3d(latent, widths[-1], 3, padding=1)
        self.up = nn.ModuleList(
            nn.Sequential(Residual(b), nn.Conv3d(b, a, 3, padding=1))
            for a, b in reversed(list(pairwise(widths)))
        )
        self.tail = nn.Sequential(Residual(channels), nn.Conv3d(channels, 8, 3, padding=1))
        self.blocks = BlockFrequencies(2**levels, latent)
        last = self.tail[-1]
        assert isinstance(last, nn.Conv3d)
        for start in (*self.narrow.parameters(), *last.parameters()):
            nn.init.zeros_(start)
        with torch.no_grad():
            self.narrow.bias[latent:] = FIRST_LOG_VARIANCE  # type: ignore[index]

    @property
    def align(self) -> int:
        """Voxels of a latent one, along an axis."""
        return 2**self.levels

    def encode(self, x_B1ZYX: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and logarithm of the variance of latent_BCzyx."""
        seen = STRETCHED.seen(x_B1ZYX)
        state = self.head(folded(seen))
        for block in self.down:
            state = block(avg_pool3d(state, 2))
        mean, log_variance = self.narrow(state).chunk(2, 1)
        return self.blocks(seen) + mean, log_variance.clamp(-20.0, 10.0)

    def decode(self, latent_BCzyx: Tensor) -> Tensor:
        """x_B1ZYX; not cut to [0, 1]."""
        state = self.widen(latent_BCzyx)
        for block in self.up:
            state = interpolate(block(state), scale_factor=2.0, mode="nearest")
        stretched = self.blocks.voxels(latent_BCzyx) + unfolded(self.tail(state))
        return STRETCHED.middle + STRETCHED.correction(stretched)

    def forward(self, x_B1ZYX: Tensor) -> Tensor:
        """Through the latent mean."""
        return self.decode(self.encode(x_B1ZYX)[0])


def folded(x_B1ZYX: Tensor) -> Tensor:
    """[B, 8, Z / 2, Y / 2, X / 2]: the eight voxels of a cube as channels."""
    b, _, z, y, x = x_B1ZYX.shape
    parts = x_B1ZYX.reshape(b, z // 2, 2, y // 2, 2, x // 2, 2)
    return parts.permute(0, 2, 4, 6, 1, 3, 5).reshape(b, 8, z // 2, y // 2, x // 2)


def unfolded(x_B8zyx: Tensor) -> Tensor:
    """The inverse of ``folded``."""
    b, _, z, y, x = x_B8zyx.shape
    parts = x_B8zyx.reshape(b, 2, 2, 2, z, y, x).permute(0, 4, 1, 5, 2, 6, 3)
    return parts.reshape(b, 1, 2 * z, 2 * y, 2 * x)


def sampled(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Latents drawn around their mean, by torch's random state."""
    return mean + (log_variance / 2).exp() * torch.randn_like(mean)


def divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Mean Kullback-Leibler divergence of latents from the standard normal distribution, nats."""
    return (mean.square() + log_variance.exp() - 1 - log_variance).mean() / 2
