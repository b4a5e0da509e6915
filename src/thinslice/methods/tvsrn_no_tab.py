"""TVSRN without its through-plane attention: the ablation that shows what that block brings.

Fitted and restored as TVSRN is.

Source: Yu et al., "RPLHR-CT dataset and transformer baseline for volumetric super-resolution from
CT scans", MICCAI 2022, section 3.3 (TVSRN w/o TAB).
"""

from dataclasses import dataclass
from math import lcm

from thinslice.families.base import settings_of
from thinslice.families.cube import (
    CUBE_TINY,
    SIDE_BY_SIDE,
    CubeMethod,
    CubeRecipe,
    CubeSettings,
)
from thinslice.interfaces import About
from thinslice.nets.tvsrn import Sizes
from thinslice.nets.tvsrn_no_tab import TVSRNNoTAB

ABOUT = About(
    title="TVSRN w/o TAB",
    fidelity="as-published",
    paper="Yu et al., MICCAI 2022",
    idea="TVSRN whose layers all look in-plane: slices meet in stacked features only.",
    fixed_factor=True,
    published_settings=SIDE_BY_SIDE,
)


@dataclass(frozen=True)
class Settings(CubeSettings):
    """Hyperparameters; the defaults are the paper's where it gives them."""

    tile: int = 512  # a whole plane as a rule: pixels in the halo of several tiles cost as often
    depth: int = 4  # thick slices the network sees
    channels: int = 8  # features of a voxel, C
    heads: int = 8  # of every attention; must divide channels
    encoder_blocks: int = 4  # N
    modules: int = 1  # M
    plane_blocks: int = 8  # in-plane layers of a module; see nets.tvsrn
    window: int = 8  # along y and x
    fold: int = 8  # rows and columns are repeated up to multiples of it
    drop_path: float = 0.1


TINY = {
    **CUBE_TINY,
    **{"channels": 4, "heads": 2, "window": 4, "fold": 4},
    **{"encoder_blocks": 1, "plane_blocks": 2},
}


def build(**settings) -> CubeMethod:
    s = settings_of(Settings, settings)
    return CubeMethod(
        CubeRecipe(
            "tvsrn_no_tab",
            ABOUT,
            s,
            TVSRNNoTAB,
            s.sizes(Sizes),
            depth=s.depth,
            align=lcm(s.fold, s.window),
        )
    )
