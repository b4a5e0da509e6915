"""Conditioned U-Net: one set of weights for slices of any thickness, increment and phase.

A plane U-Net that is told how the scan was acquired and which slices are wanted
(``nets.conditioned_unet``, ``families.conditioned``). ``thinslice restore`` uses it, with weights
that come with the package, where no other method is asked for.

A method of our own: conditioning after Perez et al. 2018 (FiLM), learning from axial slices after
Shi et al. 2023 (SR4ZCT).
"""

from dataclasses import dataclass
from typing import Any

import torch

from thinslice.families.base import settings_of
from thinslice.families.conditioned import ConditionedMethod, ConditionedRecipe
from thinslice.families.conditioned_settings import ConditionedSettings
from thinslice.interfaces import About
from thinslice.nets.conditioned_unet import ConditionedUNet

ABOUT = About(
    title="Conditioned U-Net",
    fidelity="own",
    paper="",
    idea="One U-Net for all thicknesses and increments, told how the slices were acquired, "
    "corrects interpolated coronal and sagittal planes.",
)


@dataclass(frozen=True)
class Settings(ConditionedSettings):
    """Hyperparameters; config.yaml may set any of them."""


TINY: dict[str, Any] = {
    **{"channels": 2, "levels": 2, "neighbours": 1, "side": 16, "batch": 2, "steps": 2},
    **{"warmup": 0},
}


def build(**settings: Any) -> ConditionedMethod:
    s = settings_of(Settings, settings)
    sizes = {"channels": s.channels, "levels": s.levels, "neighbours": s.neighbours}

    def network() -> ConditionedUNet:
        return ConditionedUNet(**sizes).to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    identity = {**sizes, "ct": list(s.ct)}
    return ConditionedMethod(ConditionedRecipe("conditioned_unet", ABOUT, s, network), identity)
