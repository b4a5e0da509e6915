"""CIMR, the idea of it, on through-plane planes: several best patches of a pool of slices count.

The thick scan is interpolated linearly to the slices asked for. Patches of its coronal and sagittal
planes are looked for in a pool of axial slices of the same scan, and the best of them, each by how
well it fits, are merged with the planes at three resolutions (``nets.cimr``). Mean absolute error,
Adam at 1e-4, patches of 160 x 160, nine at a time, as for SRNTT.

Source: Yan et al., "Towards content-independent multi-reference super-resolution: adaptive pattern
matching and feature aggregation", ECCV 2020; its idea alone. Their pool is learned from many
photographs; here it is what ACVTT's authors gave it, slices of the scan. Sizes and training are
SRNTT's; VGG's features are random unless a file is given (``vgg``).
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
from thinslice.nets.cimr import PlanesOfCIMR, Width
from thinslice.nets.vgg import WIDTHS

ABOUT = About(
    title="CIMR",
    fidelity="from-abstract",
    paper="Yan et al., ECCV 2020",
    idea="Of a pool of axial slices the several best patches count, by how well they fit.",
)


@dataclass(frozen=True)
class Settings(ReferencedSettings):
    """Hyperparameters; the defaults are SRNTT's."""

    channels: int = 64
    blocks: int = 16  # residual blocks of the content network, and of each of three resolutions
    best: int = 4  # matches of a patch that count
    vgg: str | None = None  # .safetensors file with VGG's weights; None: random features
    vgg_widths: tuple[int, int, int] = WIDTHS  # features at full, half and a quarter of the size

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.best < 1:
            raise ValueError(f"best starts at 1, found {self.best}")


TINY: dict[str, Any] = {**REFERENCED_TINY, "channels": 4, "blocks": 1, "vgg_widths": [4, 4, 8]}


def build(**settings: Any) -> ReferencedMethod:
    s = settings_of(Settings, settings)
    width = Width(s.channels, s.blocks, s.best)
    return ReferencedMethod(
        ReferencedRecipe(
            "cimr",
            ABOUT,
            s,
            lambda: PlanesOfCIMR(width, s.vgg_widths),
            identity={**width._asdict(), "maps": s.vgg_widths},
            prepare=features_of(s.vgg),
        )
    )
