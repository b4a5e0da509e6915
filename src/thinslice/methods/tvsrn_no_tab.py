"""TVSRN without its through-plane attention: the ablation that shows what that block brings.

Fitted and restored as TVSRN is.

Source: Yu et al., "RPLHR-CT dataset and transformer baseline for volumetric super-resolution from
CT scans", MICCAI 2022, section 3.3 (TVSRN w/o TAB).
"""

from dataclasses import asdict, dataclass, replace
from math import lcm

from thinslice.families.cube import CubeMethod, CubeSettings, Recipe
from thinslice.interfaces import About
from thinslice.nets.tvsrn import Sizes
from thinslice.nets.tvsrn_no_tab import TVSRNNoTAB

ABOUT = About(
    title="TVSRN w/o TAB",
    fidelity="as-published",
    paper="Yu et al., MICCAI 2022",
    idea="TVSRN whose layers all look in-plane: slices meet in stacked features only.",
    one_factor=True,
)


@dataclass(frozen=True)
class Settings(CubeSettings):
    """Hyperparameters; the defaults are the paper's where it gives them."""

    depth: int = 4  # thick slices the network sees
    channels: int = 8  # features of a voxel, C
    heads: int = 8  # of every attention; must divide channels
    encoder_blocks: int = 4  # N
    modules: int = 1  # M
    plane_blocks: int = 4  # in-plane layers of a module
    window: int = 8  # along y and x
    fold: int = 8  # rows and columns are repeated up to multiples of it
    drop_path: float = 0.1


def build(**settings) -> CubeMethod:
    s = Settings(**settings)
    sizes = s.shaping(Sizes)
    return CubeMethod(
        Recipe(
            method="tvsrn_no_tab",
            network=lambda factor: TVSRNNoTAB(replace(sizes, factor=factor)),
            sizes=asdict(sizes),
            settings=s,
            depth=s.depth,
            align=lcm(s.fold, s.window),
        )
    )
