"""InverseSR: latents of a learned prior are found whose slices make the thick ones.

Source: Wang et al., "InverseSR: 3D brain MRI super-resolution using a latent diffusion model",
MICCAI 2023, as ACVTT's tables have it for CT: there, too, a small prior must have been trained, for
theirs is of brains, of one size, told age and sex. What is theirs: an autoencoder and a diffusion
of its latents learn thin scans alone; Adam, at 0.07 in some 600 iterations, moves latents until the
decoded scan, made thick, has the measured slices, by the mean absolute error (their "decoder"
mode). Ours: all sizes; a rate of 0.02; the start, which is the interpolated scan and not the
prior's mean; that the prior pulls during the inversion (Mardani et al. 2024); that what was changed
is added to the start; blocks; that latents start as frequencies (``nets.autoencoder``); a damped
step towards the thick slices at the end; no perceptual or adversarial loss.
"""

from dataclasses import dataclass
from typing import Any

from thinslice.families.base import settings_of
from thinslice.families.inverted import InvertedMethod, InvertedRecipe, InvertedSettings
from thinslice.interfaces import About
from thinslice.nets.autoencoder import Autoencoder
from thinslice.nets.grey import STRETCHED
from thinslice.nets.latent_prior import LatentPrior

ABOUT = About(
    title="InverseSR",
    fidelity="from-abstract",
    paper="Wang et al., MICCAI 2023",
    idea="Latents of a diffusion prior are found whose slices, made thick, are the measured ones.",
)


@dataclass(frozen=True)
class Settings(InvertedSettings):
    """Hyperparameters; a config line may set any of them."""

    channels: int = 32  # features of the autoencoder's finest level
    levels: int = 2  # how often it halves all axes
    latent: int = 4  # channels of latents
    prior_channels: int = 64  # features of the prior's finest level
    prior_levels: int = 3  # of resolution


TINY = {
    **{"patch": [8, 8, 8], "batch": 2, "steps_autoencoder": 2, "batch_prior": 2, "steps": 2},
    **{"warmup": 0, "validate_every": 1, "val_batches": 1, "iterations": 2, "block": [48, 24, 24]},
    **{"channels": 2, "levels": 1, "latent": 2, "prior_channels": 2, "prior_levels": 1},
    **{"halo": 2, "blend": 1},
}
RESTORING = (
    *("iterations", "inversion_lr", "prior_weight", "start_noise", "stop_noise", "damping"),
    *("block", "halo", "blend"),
)


def build(**settings: Any) -> InvertedMethod:
    s = settings_of(Settings, settings)
    autoencoder = {"channels": s.channels, "levels": s.levels, "latent": s.latent}
    prior = {"channels": s.prior_channels, "levels": s.prior_levels}
    return InvertedMethod(
        InvertedRecipe(
            "inversesr",
            ABOUT,
            s,
            lambda: LatentPrior(Autoencoder(**autoencoder), **prior),
            identity={
                "autoencoder": {**autoencoder, "start": "block frequencies"},
                "prior": prior,
                "grey": list(STRETCHED),
            },
        )
    )
