"""TVSRN as released: the authors' code, whose numbers the paper's readers get when they run it.

Training: mean absolute error of the middle 10 of 16 slices, AdamW at 3e-4 with weight decay 1e-4,
no flips, a tenth of the rate after 15 validations without a new best. Restoring: windows of four
thick slices start at 0, 2, 4, ... and one ends with the scan, in-plane tiles of 256 lie side by
side with no halo, later answers overwrite earlier ones, values are cut to [0, 1].

Source: Yu et al., "RPLHR-CT dataset and transformer baseline for volumetric super-resolution from
CT scans", MICCAI 2022, its public code. Differs: the first and last three thin slices, which the
authors never predict and leave out of their scores, are predicted from a scan continued by its end
slices; scans of any size, and of fewer than five thick slices, are restored; validation is by RMSE
of fixed crops at regular steps and the best weights are kept (theirs: from some training loss on,
whole cases, and the earliest weights file is the one tested); no early stop, steps are a setting.

``build().use(state_dict)`` takes weights of theirs.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from thinslice.families.base import settings_of
from thinslice.families.cube import CUBE_TINY, CubeMethod, CubeRecipe, CubeSettings
from thinslice.inference import tiling
from thinslice.inference.cubes import CubeTiles, starts_to_the_ends
from thinslice.interfaces import About
from thinslice.nets.tvsrn_released import DEPTH, FACTOR, TRIM, TVSRNReleased, from_authors

ABOUT = About(
    title="TVSRN (released)",
    fidelity="as-released",
    paper="Yu et al., MICCAI 2022",
    idea="The authors' code with its quirks: silent mask tokens, a scrambled head, no averaging.",
    fixed_factor=True,
)
STRIDE = 2  # thick slices from window to window: the ten kept slices of each meet the next ones


@dataclass(frozen=True)
class Settings(CubeSettings):
    """Hyperparameters; the defaults are those of the released code."""

    factor: int | None = FACTOR  # no other
    lr: float = 3e-4
    optimiser: str = "adamw"
    weight_decay: float = 1e-4
    schedule: str = "plateau"
    patience: int = 15  # validations
    flips: bool = False
    step: int | None = STRIDE
    halo: int = 0
    blend: int = 0


TINY = {**CUBE_TINY, "halo": 0, "blend": 0, "steps": 1}  # the network has one size


TILES = CubeTiles(DEPTH, FACTOR, TRIM, STRIDE)  # along z


def z_starts(n: int, ends: int) -> list[int]:
    """The authors' windows, and before and after them those for what they never predict."""
    return starts_to_the_ends(n, ends, TILES)


class TVSRNReleasedMethod(CubeMethod):
    """A cube method that also takes the authors' own weights."""

    given_parts = ("network",)

    def use_given(self, states: Mapping[str, Mapping[str, Tensor]]) -> None:
        """Weights by ``given_parts`` and the authors' names, as ``use``."""
        self.use(states["network"])

    def use(self, state_dict: Mapping[str, Tensor]) -> None:
        """Weights by the authors' names; refuses any that is left over on either side."""
        net = self._seeded({"factor": FACTOR})
        net.load_state_dict(from_authors(state_dict))
        self.net, self.shape = net, {"factor": FACTOR}


def build(**settings) -> CubeMethod:
    s = settings_of(Settings, settings)
    if s.factor != FACTOR:
        raise ValueError(f"the released network is for a factor of {FACTOR}, found {s.factor}")
    if s.step != STRIDE:
        raise ValueError(f"the authors' windows are {STRIDE} slices apart, found step {s.step}")
    return TVSRNReleasedMethod(
        CubeRecipe(
            "tvsrn_released",
            ABOUT,
            s,
            lambda _: TVSRNReleased(),
            sizes=None,
            depth=DEPTH,
            trim=TRIM,
            clamp=True,
            z_starts=z_starts,
            share_z=tiling.last_write,
        )
    )
