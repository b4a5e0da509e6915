"""TVSRN's encoder alone with sub-pixel upsampling: the ablation of its decoder.

Fitted and restored as TVSRN is.

Source: Yu et al., "RPLHR-CT dataset and transformer baseline for volumetric super-resolution from
CT scans", MICCAI 2022, section 3.3 (TVSRN Encoder).
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
from thinslice.nets.tvsrn_encoder import Sizes, TVSRNEncoder

ABOUT = About(
    title="TVSRN encoder",
    fidelity="as-published",
    paper="Yu et al., MICCAI 2022",
    idea="Swin layers over stacked thick slices; each voxel's features become its native slices.",
    fixed_factor=True,
    published_settings=SIDE_BY_SIDE,
)


@dataclass(frozen=True)
class Settings(CubeSettings):
    """Hyperparameters; the defaults are the paper's where it gives them."""

    tile: int = 512  # a whole plane as a rule: pixels in the halo of several tiles cost as often
    depth: int = 4  # thick slices the network sees
    channels: int = 32  # features of a voxel, C
    heads: int = 8  # of every attention
    encoder_blocks: int = 8  # N
    window: int = 8  # along y and x
    drop_path: float = 0.1


TINY = {**CUBE_TINY, "channels": 4, "heads": 2, "window": 4, "encoder_blocks": 1}


def build(**settings) -> CubeMethod:
    s = settings_of(Settings, settings)
    return CubeMethod(
        CubeRecipe(
            "tvsrn_encoder", ABOUT, s, TVSRNEncoder, s.sizes(Sizes), depth=s.depth, align=s.window
        )
    )
