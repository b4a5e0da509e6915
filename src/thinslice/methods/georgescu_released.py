"""The two-stage CNN as released: the authors' code, which differs from their paper.

The in-plane network learns at 1e-4 for 40 epochs, the through-plane one at 1e-3 for 45, neither
rate ever falls. A factor of 4 in-plane is the network for 2, used twice. Patches are stored as
whole grey levels and blurred, before they are made coarse, with zeros around them, which darkens
their rims; dark ones are left out. Half, or three in four, are turned, about a point half a pixel
off: the turned patch lies one pixel to the side and a line of zeros enters, and since a coarse
pixel is r fine ones, what the network sees and what it should give are r - 1 fine pixels apart.
Between the stages every answer is cut to 0..255 and rounded to whole levels (16 HU of our window).

Source: the public code of Georgescu et al., commit 663eab4, described in our own words. Differs:
patches are drawn at random, an epoch is as many as cover the training planes side by side; the best
validation is kept (theirs was chosen by hand, on test scans); patches of the through-plane network
come from the pairs' own thick slices where these have thin pixels; the median is the default for
every factor (theirs for x4: the mean, setting ``ensemble``); HU beyond the window are kept as in
``georgescu``; weights start as in ``nets.georgescu``; a scan to restore is shown as it comes
(theirs is an 8-bit picture already).

``build().use(stage, factor, state_dict)`` takes weights of theirs.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor, nn

from thinslice.families.base import settings_of
from thinslice.families.two_stage import TwoStage
from thinslice.families.two_stage_settings import (
    TWO_STAGE_TINY,
    TwoStageRecipe,
    TwoStageSettings,
)
from thinslice.interfaces import About
from thinslice.training.samplers.shrunk_patches import LEVELS, Blur, Finish, Patch

ABOUT = About(
    title="Two-stage CNN (released)",
    fidelity="as-released",
    paper="Georgescu et al., IEEE Access 2020",
    idea="The authors' code with its quirks: whole grey levels, turned patches a pixel aside.",
    fixed_factor=True,
    in_plane=True,
)
# Whole grey levels below which a patch is left out are 1 and 5; these are not rounded yet.
DARK = {"in_plane": 0.5, "through_plane": 4.5}


@dataclass(frozen=True)
class Settings(TwoStageSettings):
    """Hyperparameters; the defaults are those of the released code."""

    through_plane_epochs: int = 45
    in_plane_lr: float = 1e-4
    schedule: str = "constant"


TINY = TWO_STAGE_TINY
RESTORING = ("ensemble", "tile", "planes_at_a_time")  # no training depends on them


class WholeLevels(nn.Module):
    """A network whose answer is rounded to whole grey levels, halves to the even one."""

    def __init__(self, net: nn.Module):
        super().__init__()
        self.net = net

    def forward(self, x_B1PQ: Tensor) -> Tensor:
        return self.net(x_B1PQ).round()


def turned(x_PQ: np.ndarray, turns: int) -> np.ndarray:
    """Quarter turns against the clock about (w / 2, h / 2): one pixel aside, zeros enter."""
    down, right = ((0, 0), (1, 0), (1, 1), (0, 1))[turns]
    moved = np.pad(np.rot90(x_PQ, turns), ((down, 0), (right, 0)))
    return moved[: moved.shape[0] - down, : moved.shape[1] - right]


def as_stored(turns: tuple[int, ...]) -> Finish:
    """Patches in whole grey levels, each turned by one of ``turns``."""

    def finish(x_BPQ: np.ndarray, y_BPQ: np.ndarray, rng: np.random.Generator) -> Patch:
        drawn = rng.choice(turns, len(x_BPQ))
        x, y = (
            np.stack([turned(np.rint(patch_PQ), k) for patch_PQ, k in zip(part, drawn)])
            for part in (x_BPQ, y_BPQ)
        )
        return x.clip(0, LEVELS), y.clip(0, LEVELS)

    return finish


def by_halves(factor: int) -> int:
    """Powers of two are made by the network for 2, used repeatedly."""
    return 2 if factor > 1 and factor & (factor - 1) == 0 else factor


def build(**settings: Any) -> TwoStage:
    return TwoStage(
        TwoStageRecipe(
            "georgescu_released",
            ABOUT,
            settings_of(Settings, settings),
            single_factor=by_halves,
            answer=WholeLevels,
            blur=Blur(of="fine", border="constant"),
            least=DARK,
            finish={"in_plane": as_stored((0, 1, 2, 3)), "through_plane": as_stored((0, 2))},
        )
    )
