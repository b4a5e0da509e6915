"""Find the latents whose thin slices make the measured thick ones: Adam on the latents of a block.

Start: the interpolated scan's own latents. What is restored is the interpolated scan plus what the
decoder's answer changed since the start, so that what an autoencoder loses anyway is not lost. Each
iteration descends on

    mean |A x - y|  +  weight * mean (z - denoised(z + noise))^2

with A x the restored slices made thick, y the measured ones, and noise of falling level: where the
thick slices say nothing, latents go where the prior expects them (Mardani et al. 2024). The noise
of an iteration depends on the seed, the iteration and the place alone, so blocks fit together.

Shape suffixes: Z Y X voxels, z y x latents, C channels, K thick slices.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from thinslice.inference.blocks import Place
from thinslice.nets.autoencoder import Autoencoder
from thinslice.nets.grey import STRETCHED
from thinslice.nets.latent_prior import LatentPrior
from thinslice.operators.measured_slices import Measured

PERIOD = 32  # latents after which noise repeats itself


@dataclass(frozen=True)
class Inversion:
    """How latents are found.

    levels         of the noise, one for each iteration; 1: the size of latents
    lr             of Adam, in units of that size
    prior_weight   of the prior beside the thick slices
    seed           of the noise
    """

    levels: Sequence[float]
    lr: float
    prior_weight: float
    seed: int


@torch.inference_mode(False)
def inverted(
    prior: LatentPrior,
    start_ZYX: np.ndarray,
    at: Place,
    measured: Measured,
    how: Inversion,
    device: torch.device,
) -> np.ndarray:
    """What to add to a block of the interpolated scan, float32 [Z, Y, X].

    start_ZYX   the block in [0, 1], whose sides are multiples of ``prior.align``
    at          its positions; nothing is added where no thick slice lies wholly within them
    """
    rows = measured.within(at[0])
    if not len(rows):
        return np.zeros(start_ZYX.shape, np.float32)
    slices = Slices(*(torch.from_numpy(a).to(device) for a in measured.block(rows, at)))
    start_B1ZYX = torch.from_numpy(start_ZYX.astype(np.float32)).to(device)[None, None]
    return _descended(prior, start_B1ZYX, at, slices, how)[0, 0].cpu().numpy()


class Slices(NamedTuple):
    """Thick slices of a block: their weights [K, Z], values and 1 where one counts [K, Y, X]."""

    weights: Tensor
    values: Tensor
    counts: Tensor

    def error(self, made_ZYX: Tensor) -> Tensor:
        """Mean absolute difference of restored slices, made thick, and these."""
        made_KYX = torch.einsum("kz,zyx->kyx", self.weights, made_ZYX)
        wrong_KYX = (made_KYX - self.values) * self.counts
        return wrong_KYX.abs().sum() / self.counts.sum().clamp(1)


class Probe(nn.Module):
    """Two iterations on x_B1ZYX with one thick slice, to see what memory they take."""

    def __init__(self, prior: LatentPrior, how: Inversion):
        super().__init__()
        self.prior, self.how = prior, replace(how, levels=how.levels[:2])

    def forward(self, x_B1ZYX: Tensor) -> Tensor:
        z, y, x = (np.arange(n) for n in x_B1ZYX.shape[2:])
        one = x_B1ZYX[0, 0, :1]
        slices = Slices(x_B1ZYX.new_ones(1, len(z)), one, torch.ones_like(one))
        return _descended(self.prior, x_B1ZYX, (z, y, x), slices, self.how)


@torch.inference_mode(False)
@torch.enable_grad()
def _descended(
    prior: LatentPrior, start_B1ZYX: Tensor, at: Place, slices: Slices, how: Inversion
) -> Tensor:
    """What the decoder's answer changed, after all iterations."""
    net, scale = prior.autoencoder, prior.denoiser.scale
    with torch.no_grad():
        first, _ = net.encode(start_B1ZYX)
        decoded = net.decode(first)
    latent = (first / scale).clone().requires_grad_()
    descent = torch.optim.Adam([latent], lr=how.lr)
    for k, level in enumerate(how.levels):
        change = net.decode(latent * scale) - decoded
        wrong = STRETCHED.gain * slices.error((start_B1ZYX + change)[0, 0])
        wanted = _expected(prior, latent.detach(), level, (how.seed, k), at)
        away = (latent - wanted).square().mean()
        (latent.grad,) = torch.autograd.grad(wrong + how.prior_weight * away, [latent])
        descent.step()
    with torch.no_grad():
        return net.decode(latent * scale) - decoded


@torch.no_grad()
def _expected(
    prior: LatentPrior, latent: Tensor, level: float, seed: tuple[int, int], at: Place
) -> Tensor:
    """Latents as the prior expects them, after noise of this level; in units of their size."""
    scale = prior.denoiser.scale
    noise = torch.from_numpy(noise_at(at, prior.autoencoder, seed)).to(latent.device)
    level_B = torch.full((1,), level, device=latent.device)
    return prior.denoiser((latent + level * noise) * scale, level_B) / scale


def noise_at(at: Place, net: Autoencoder, seed: tuple[int, int]) -> np.ndarray:
    """Standard normal noise [1, C, z, y, x] of latents, the same for a place in any block.

    It repeats itself after ``PERIOD`` latents along each axis.
    """
    shape = (net.latent, PERIOD, PERIOD, PERIOD)
    noise = np.random.default_rng(seed).standard_normal(shape, np.float32)
    z, y, x = (positions[:: net.align] // net.align % PERIOD for positions in at)
    return noise[:, z[:, None, None], y[:, None], x][None]
