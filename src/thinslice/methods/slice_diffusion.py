"""Slice diffusion: a coarse answer, refined by sampling from a score model of axial slices.

Source: the row "Zhou et al." of ACVTT's tables, which is R. Wang et al., MLMI 2025 ("Zhou" in the
text): a coarse network first, a 2-D score model that refines slice by slice, total variation across
slices for consistency in 3-D. No code and no numbers are public, so all that can be counted or set
is ours: the coarse network is ``plane_unet``'s 2-D one, the score model a U-Net that sees the
coarse and the interpolated slices around, the phase, and what is above the coarse slice
(``nets.refined_slices``), noise as Karras et al. 2022 have it. Ours, too: the same noise for all
slices; a damped step towards the thick slices at each level; and that sampling ends at
``stop_noise`` and the mean of ``samples`` is taken, since one sample down to no noise has textures
of its own, and twice the squared error of the mean of all.
"""

from dataclasses import dataclass
from typing import Any

from thinslice.families.base import settings_of
from thinslice.families.refined import RefinedMethod, RefinedRecipe, RefinedSettings
from thinslice.interfaces import About
from thinslice.nets.grey import STRETCHED
from thinslice.nets.plane_unet import PlaneUNet
from thinslice.nets.refined_slices import RefinedSlices

ABOUT = About(
    title="Slice diffusion",
    fidelity="from-abstract",
    paper="Wang et al., MLMI 2025",
    idea="A coarse answer is refined by sampling from a 2-D score model of axial slices, with "
    "total variation along z.",
)


@dataclass(frozen=True)
class Settings(RefinedSettings):
    """Hyperparameters; a config line may set any of them."""

    coarse_channels: int = 64  # features of the coarse U-Net's finest level
    coarse_levels: int = 4
    channels: int = 64  # features of the score model's finest level
    levels_of_score: int = 4


TINY = {
    **{"patch": [16, 12], "batch": 2, "steps_coarse": 2, "side": 12, "batch_score": 2, "steps": 2},
    **{"warmup": 0, "validate_every": 1, "val_batches": 1, "sampling_steps": 2, "samples": 1},
    **{"coarse_channels": 2, "coarse_levels": 2, "channels": 2, "levels_of_score": 2},
}
RESTORING = (
    *("start_noise", "stop_noise", "sampling_steps", "samples", "total_variation", "damping"),
    *("tile", "planes_at_a_time"),
)


def build(**settings: Any) -> RefinedMethod:
    s = settings_of(Settings, settings)
    coarse = {"channels": s.coarse_channels, "levels": s.coarse_levels, "neighbours": 0}
    score = {"channels": s.channels, "levels": s.levels_of_score, "neighbours": s.neighbours}
    identity = {
        "coarse": coarse,
        "score": {**score, "known": "differences, phase"},
        "grey": list(STRETCHED),
    }
    return RefinedMethod(
        RefinedRecipe(
            "slice_diffusion",
            ABOUT,
            s,
            lambda: PlaneUNet(**coarse),
            lambda: RefinedSlices(**score),
            identity=identity,
        )
    )
