"""SRNTT on through-plane planes: textures of axial slices are swapped into their features.

The thick scan is interpolated linearly to the slices asked for. Patches of its coronal and sagittal
planes are looked for in axial slices of the same scan, and what those hold there is merged with the
planes at three resolutions (``nets.srntt``). Mean absolute error, Adam at 1e-4, patches of 160 x
160, nine at a time.

Source: Zhang et al., "Image super-resolution by neural texture transfer", CVPR 2019, and its port
to PyTorch, as ACVTT's authors compare it: with axial slices for references. How they fed it planes
is not said. Differs, besides ``nets.srntt``: pixel loss alone, as in their "SRNTT-l2"; VGG's
features are random unless a file is given (``vgg``); planes start as linear interpolation.
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
from thinslice.nets.srntt import PlanesOfSRNTT
from thinslice.nets.vgg import WIDTHS

ABOUT = About(
    title="SRNTT",
    fidelity="from-abstract",
    paper="Zhang et al., CVPR 2019",
    idea="Patches of planes are found in axial slices, whose features are laid out in their place.",
)


@dataclass(frozen=True)
class Settings(ReferencedSettings):
    """Hyperparameters; the defaults are those of the authors' port."""

    channels: int = 64
    blocks: int = 16  # residual blocks of the content network, and of each of three resolutions
    weighted: bool = False  # learn how far to trust a match by its score
    vgg: str | None = None  # .safetensors file with VGG's weights; None: random features
    vgg_widths: tuple[int, int, int] = WIDTHS  # features at full, half and a quarter of the size


TINY: dict[str, Any] = {**REFERENCED_TINY, "channels": 4, "blocks": 1, "vgg_widths": [4, 4, 8]}


def build(**settings: Any) -> ReferencedMethod:
    s = settings_of(Settings, settings)
    sizes: dict[str, Any] = {
        **{"channels": s.channels, "blocks": s.blocks, "maps": s.vgg_widths},
        "weighted": s.weighted,
    }
    return ReferencedMethod(
        ReferencedRecipe(
            "srntt",
            ABOUT,
            s,
            lambda: PlanesOfSRNTT(**sizes),
            identity=sizes,
            prepare=features_of(s.vgg),
        )
    )
