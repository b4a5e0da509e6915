"""CTHNet as released: the next network of TVSRN's authors, convolutions and 3-D attention.

Training: mean absolute error of the middle 30 of 36 slices, AdamW at 3e-4 with weight decay 1e-4,
one crop of 8 x 256 x 256 thick voxels per step, every fifth flipped, a tenth of the rate at a
plateau. Restoring: windows of eight thick slices start at 0, 6, 12, ... and one ends with the scan,
in-plane tiles of 256 lie side by side with no halo, later answers overwrite earlier ones, values
are cut to [0, 1].

Source: the public code of Yu et al., npj Digital Medicine 2024. Differs: the first and last three
thin slices, which the authors never predict, are predicted from a scan continued by its end slices;
scans of any size, and of fewer than eight thick slices, are restored; plateaus, of 6, are of fixed
validation crops (theirs: of the training loss, epoch by epoch), and the best weights are kept; no
early stop, steps are a setting. Drop path is that of TVSRN's code. ``corrects`` is ours: the
network corrects linear interpolation.

``build().use(state_dict)`` takes weights of theirs.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from math import lcm

from torch import Tensor

from thinslice.families.base import settings_of
from thinslice.families.cube import CUBE_TINY, CubeMethod, CubeRecipe, CubeSettings
from thinslice.inference import tiling
from thinslice.inference.cubes import CubeTiles, starts_to_the_ends
from thinslice.interfaces import About
from thinslice.nets.cthnet import CTHNet, Sizes, from_authors
from thinslice.training.samplers.cubes import Cubes

ABOUT = About(
    title="CTHNet",
    fidelity="as-released",
    paper="Yu et al., npj Digit. Med. 2024",
    idea="Convolutions and 3-D attention encode thick slices; TVSRN's kind of decoder fills in.",
    fixed_factor=True,
)


@dataclass(frozen=True)
class Settings(CubeSettings):
    """Hyperparameters; the defaults are those of the released code."""

    factor: int | None = 5  # native slices per thick increment; never left open
    depth: int = 8  # thick slices the network sees
    trim: int = 3  # native slices at each end that it does not return
    stem: int = 32  # features of a voxel in the encoder
    channels: int = 8  # features of a voxel in the decoder
    heads: int = 8  # of every attention
    encoder_blocks: int = 4
    tab_blocks: int = 4  # layers of the through-plane block
    plane_groups: int = 2  # of in-plane layers
    plane_blocks: int = 4  # layers of a group
    window: int = 8  # in-plane; half in the views, a quarter in the encoder
    fold: int = 8  # columns folded into features in a view
    drop_path: float = 0.1
    corrects: bool = False  # linear interpolation, which minutes of training are enough for
    lr: float = 3e-4
    optimiser: str = "adamw"
    weight_decay: float = 1e-4
    schedule: str = "plateau"
    patience: int = 6  # validations
    step: int | None = 6
    halo: int = 0
    blend: int = 0


TINY = {
    **CUBE_TINY,
    **{"depth": 3, "step": 1, "halo": 0, "blend": 0, "stem": 4, "channels": 2, "heads": 2},
    **{"encoder_blocks": 2, "tab_blocks": 2, "plane_groups": 1, "plane_blocks": 2},
    **{"window": 4, "fold": 4},
}


class CTHNetMethod(CubeMethod):
    """A cube method that also takes the authors' own weights."""

    given_parts = ("network",)

    def use_given(self, states: Mapping[str, Mapping[str, Tensor]]) -> None:
        """Weights by ``given_parts`` and the authors' names, as ``use``."""
        self.use(states["network"])

    def use(self, state_dict: Mapping[str, Tensor]) -> None:
        """Weights by the authors' names; refuses any that is left over on either side."""
        shape = {"factor": self.recipe.settings.factor}
        net = self._seeded(shape)
        net.load_state_dict(from_authors(state_dict))
        self.net, self.shape = net, shape


def build(**settings) -> CTHNetMethod:
    s = settings_of(Settings, settings)
    if s.factor is None:
        raise ValueError("cthnet trims its answer and needs the factor: set factor")
    tiles = CubeTiles(s.depth, s.factor, s.trim, s.step)
    return CTHNetMethod(
        CubeRecipe(
            "cthnet",
            ABOUT,
            s,
            CTHNet,
            s.sizes(Sizes),
            depth=s.depth,
            trim=s.trim,
            align=lcm(s.fold, s.window),
            clamp=True,
            z_starts=lambda n, ends: starts_to_the_ends(n, ends, tiles),
            share_z=tiling.last_write,
            sampler=partial(Cubes, flip_share=0.2),
        )
    )
