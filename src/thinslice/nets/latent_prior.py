"""A diffusion over the latents of an autoencoder: what thin scans look like.

Shape suffixes: B cubes, 1 channel, C latent channels, Z Y X; z y x in the latents' steps.
"""

import torch
from torch import Tensor, nn

from thinslice.nets.autoencoder import Autoencoder
from thinslice.nets.denoiser import Denoiser
from thinslice.nets.noise_levels import weight
from thinslice.nets.score_unet import ScoreUNet


class LatentPrior(nn.Module):
    """The autoencoder and the denoiser of its latents."""

    def __init__(self, autoencoder: Autoencoder, channels: int = 64, levels: int = 3):
        super().__init__()
        self.autoencoder = autoencoder
        latent = autoencoder.latent
        self.denoiser = Denoiser(ScoreUNet(3, latent, latent, channels, levels))

    @property
    def align(self) -> int:
        """Sizes of cubes are multiples of it."""
        return self.autoencoder.align * self.denoiser.net.align


class DenoisingErrors(nn.Module):
    """thin_B1ZYX, noise_BCzyx and levels [B] to what denoised latents lack, weighted by level.

    In units of the latents' size: where nothing is lacking it is zero. The autoencoder rests.
    """

    def __init__(self, prior: LatentPrior):
        super().__init__()
        self.denoiser = prior.denoiser
        self._encode = [prior.autoencoder]  # in a list, so that its weights are none of this one's

    def forward(self, thin_B1ZYX: Tensor, noise_BCzyx: Tensor, level_B: Tensor) -> Tensor:
        with torch.no_grad():
            clean, _ = self._encode[0].to(thin_B1ZYX.device).encode(thin_B1ZYX)
        level = level_B[:, None, None, None, None]
        noisy = clean + noise_BCzyx * level * self.denoiser.scale
        wrong = (self.denoiser(noisy, level_B) - clean) / self.denoiser.scale
        return wrong * weight(level).sqrt()
