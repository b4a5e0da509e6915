"""LMR (MRefSR) on through-plane planes: several axial slices, each looked at where it fits.

The thick scan is interpolated linearly to the slices asked for. Patches of its coronal and sagittal
planes are looked for in each of several axial slices of the same scan; deformable convolutions take
their features from there, attention weighs the slices pixel by pixel, and what they give is merged
with the planes at three resolutions (``nets.mrefsr``). Mean absolute error, Adam at 1e-4, 255,000
steps, patches of 160 x 160, twelve at a time.

Source: Zhang et al., "LMR: a large-scale multi-reference dataset for reference-based
super-resolution", ICCV 2023, and its public code, as ACVTT's authors compare it: with axial slices
for references. How they fed it planes is not said. Differs, besides ``nets.mrefsr``: one rate for
all layers (theirs: lower ones for offsets); VGG's features are random unless a file is given
(``vgg``); planes start as linear interpolation.
"""

from dataclasses import dataclass
from typing import Any

from thinslice.families.base import settings_of
from thinslice.families.learned_features import features_of
from thinslice.families.referenced import (
    REFERENCED_TINY,
    ReferencedMethod,
    ReferencedRecipe,
    ReferencedSettings,
)
from thinslice.interfaces import About
from thinslice.nets.mrefsr import PlanesOfMRefSR
from thinslice.nets.vgg import WIDTHS

ABOUT = About(
    title="LMR (MRefSR)",
    fidelity="from-abstract",
    paper="Zhang et al., ICCV 2023",
    idea="Deformable convolutions look into each of several axial slices where planes were found "
    "there, and attention weighs the slices.",
)


@dataclass(frozen=True)
class Settings(ReferencedSettings):
    """Hyperparameters; the defaults are those of the authors' code."""

    batch: int = 12
    channels: int = 64
    blocks: int = 16  # residual blocks of the content network, and of each of three resolutions
    groups: int = 8  # of a slice's features that look the same way
    vgg: str | None = None  # .safetensors file with VGG's weights; None: random features
    vgg_widths: tuple[int, int, int] = WIDTHS  # features at full, half and a quarter of the size


TINY: dict[str, Any] = {
    **REFERENCED_TINY,
    **{"channels": 4, "blocks": 1, "groups": 2, "vgg_widths": [4, 4, 8], "lr": 1e-3},
}


def build(**settings: Any) -> ReferencedMethod:
    s = settings_of(Settings, settings)
    sizes: dict[str, Any] = {
        **{"channels": s.channels, "blocks": s.blocks, "groups": s.groups},
        "maps": s.vgg_widths,
    }
    return ReferencedMethod(
        ReferencedRecipe(
            "mrefsr",
            ABOUT,
            s,
            lambda: PlanesOfMRefSR(**sizes),
            identity=sizes,
            prepare=features_of(s.vgg),
        )
    )
