"""A standard vision transformer with sub-pixel upsampling: the plainest ablation of TVSRN.

Fitted and restored as TVSRN is. All patches of a tile attend to each other, so unlike the windowed
networks its answer depends on the tile: halo and crossfade soften the seams, they do not remove
them. A tile is as large as a training crop, for the network has seen no other number of patches.

Source: Yu et al., "RPLHR-CT dataset and transformer baseline for volumetric super-resolution from
CT scans", MICCAI 2022, section 3.3 (TVSRN Encoder ViT).
"""

from dataclasses import dataclass

from thinslice.families.base import settings_of
from thinslice.families.cube import (
    CUBE_TINY,
    SIDE_BY_SIDE,
    CubeMethod,
    CubeRecipe,
    CubeSettings,
)
from thinslice.interfaces import About
from thinslice.nets.tvsrn_vit import Sizes, TVSRNViT

ABOUT = About(
    title="TVSRN ViT encoder",
    fidelity="as-published",
    paper="Yu et al., MICCAI 2022",
    idea="All 16 x 16 patches of a few thick slices attend to each other; each becomes its slices.",
    fixed_factor=True,
    published_settings=SIDE_BY_SIDE,
)


@dataclass(frozen=True)
class Settings(CubeSettings):
    """Hyperparameters; the defaults are the paper's where it gives them."""

    depth: int = 4  # thick slices the network sees
    patch: int = 16  # pixels along y and x
    channels: int = 512  # features of a patch
    heads: int = 8
    blocks: int = 8
    mlp_ratio: int = 2


TINY = {**CUBE_TINY, "patch": 4, "channels": 8, "heads": 2, "blocks": 1}


def build(**settings) -> CubeMethod:
    s = settings_of(Settings, settings)
    return CubeMethod(
        CubeRecipe("tvsrn_vit", ABOUT, s, TVSRNViT, s.sizes(Sizes), depth=s.depth, align=s.patch)
    )
