"""The two-stage CNN: small 2-D networks make pixels finer, then slices, with an intermediate loss.

Source: Georgescu, Ionescu & Verga, "Convolutional neural networks with intermediate loss for 3D
super-resolution of CT and MRI scans", IEEE Access 2020. As in the paper: ten convolutions of 32
channels around a sub-pixel layer, mean absolute error of the final and the intermediate plane, Adam
at 1e-3 and from half way on 1e-4, 40 epochs, batches of 128 patches of 7 x 7 coarse pixels, half of
them blurred, as the network sees them, by 3 x 3 taps of a random width up to 0.5 (of coarse
pixels); the median of eight (in-plane) turned and flipped planes.

The paper leaves open and we chose: an epoch is as many patches as cover the training planes side by
side (326,000 on 359 planes of 192 to 512 pixels, as theirs of Colea Hospital, would be planes of
422); the through-plane network sees coronal and sagittal planes, four flips of each, and the mean
of the two views (as the released code does); patches blur with their edge continued; a fixed blur,
where asked for, is the largest of the random ones. Ours: where thick pixels are as fine as thin
ones, the through-plane network is taught on the pairs' own thick slices (the paper only shrinks),
blurred like shrunk ones; the validation patients choose the weights; HU are seen through a window
of -1024 to 3071 and what lies beyond is interpolated linearly.
Every ablation of tables I and II is a setting. ``georgescu_released`` is the authors' code.
"""

from dataclasses import dataclass
from typing import Any

from thinslice.families.base import settings_of
from thinslice.families.two_stage import TwoStage
from thinslice.families.two_stage_settings import (
    TWO_STAGE_TINY,
    TwoStageRecipe,
    TwoStageSettings,
)
from thinslice.interfaces import About

ABOUT = About(
    title="Two-stage CNN",
    fidelity="as-published",
    paper="Georgescu et al., IEEE Access 2020",
    idea="Two small sub-pixel networks, in-plane then through-plane, with an intermediate loss.",
    fixed_factor=True,
    in_plane=True,
    published_settings={  # Tables I and II, and the self-ensemble of the others
        "channels": (32, 64, 128),
        "patch": (4, 7, 14, 17),
        "second_block": (True, False),
        "intermediate_loss": (True, False),
        "short_skip": (True, False),
        "long_skip": (True, False),
        "blur": ("random", "fixed"),
        "ensemble": ("median", "none"),
    },
)


@dataclass(frozen=True)
class Settings(TwoStageSettings):
    """Hyperparameters; the defaults are the paper's."""


TINY = TWO_STAGE_TINY
RESTORING = ("ensemble", "tile", "planes_at_a_time")  # no training depends on them


def build(**settings: Any) -> TwoStage:
    return TwoStage(TwoStageRecipe("georgescu", ABOUT, settings_of(Settings, settings)))
