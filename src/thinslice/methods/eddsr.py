"""EDDSR: densely connected 3-D blocks and one transposed convolution that reads all of them.

Fitted on pairs with the mean absolute error and Adam, and restored in windows of eight thick
slices, four apart, whose mean counts where two answer.

Source: after Du et al. (densely connected network with one deconvolution layer); the network is the
one in the code of MFER's authors but for its last layer, which doubles all axes there
(``nets.eddsr``). Training, windows, tiles and first weights are ours, and what a scan holds beyond
the window of values is kept.
"""

from dataclasses import dataclass

from thinslice.families.base import settings_of
from thinslice.families.cube import CUBE_TINY, CubeMethod, CubeRecipe, CubeSettings
from thinslice.interfaces import About
from thinslice.nets.eddsr import EDDSR, Sizes

ABOUT = About(
    title="EDDSR",
    fidelity="from-abstract",
    paper="Du et al.",
    idea="Densely connected 3-D blocks; one transposed convolution reads all of them.",
    fixed_factor=True,
)


@dataclass(frozen=True)
class Settings(CubeSettings):
    """Hyperparameters; sizes are those of MFER's authors, all else is ours."""

    depth: int = 8  # thick slices the network sees
    stem: int = 64  # features of the first convolution
    blocks: int = 4
    channels: int = 24  # features of every other convolution
    side: int = 64
    step: int | None = 4
    tile: int = 128


TINY = {**CUBE_TINY, "depth": 3, "step": 2, "stem": 4, "blocks": 1, "channels": 4}


def build(**settings) -> CubeMethod:
    s = settings_of(Settings, settings)
    return CubeMethod(CubeRecipe("eddsr", ABOUT, s, EDDSR, s.sizes(Sizes), depth=s.depth, align=1))
