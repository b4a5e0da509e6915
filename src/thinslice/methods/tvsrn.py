"""TVSRN as published: a transformer fills in the slices between thick slices.

Fitted on pairs of thick and thin scans with the mean absolute error, Adam at 1e-4, one crop of
4 x 256 x 256 thick voxels per step, flipped left to right at random. Restored in windows of four
thick slices that share one with the next; where two windows answer, their mean counts.

Source: Yu et al., "RPLHR-CT dataset and transformer baseline for volumetric super-resolution from
CT scans", MICCAI 2022, sections 2.2 and 3. Differs: planes are restored whole up to 512 pixels, and
larger ones in tiles that overlap and are crossfaded (the paper's are of 256 and do not overlap,
which leaves seams: ``tile: 256, halo: 0, blend: 0``); the number of steps is not in the paper; mask
tokens are made for any factor; MR is scaled by percentiles of the thick scan; what a scan holds
beyond the window of values is kept. What the paper leaves open in the network is listed in
``thinslice.nets.tvsrn``.
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
from thinslice.nets.tvsrn import TVSRN, Sizes

ABOUT = About(
    title="TVSRN",
    fidelity="as-published",
    paper="Yu et al., MICCAI 2022",
    idea="A transformer takes the missing slices for masked tokens and fills them in from windows "
    "in-plane and across.",
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
    modules: int = 1  # feature interaction modules, M
    tab_blocks: int = 4  # layers of a through-plane block
    plane_blocks: int = 8  # in-plane layers of a module; see nets.tvsrn
    window: int = 8  # along y and x
    window_z: int = 4
    fold: int = 8  # columns folded into channels in a through-plane block
    drop_path: float = 0.1


TINY = {
    **CUBE_TINY,
    **{"channels": 4, "heads": 2, "window": 4, "fold": 4},
    **{"encoder_blocks": 1, "tab_blocks": 1, "plane_blocks": 2},
}


def build(**settings) -> CubeMethod:
    s = settings_of(Settings, settings)
    return CubeMethod(
        CubeRecipe(
            "tvsrn", ABOUT, s, TVSRN, s.sizes(Sizes), depth=s.depth, align=lcm(s.fold, s.window)
        )
    )
