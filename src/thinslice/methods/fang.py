"""Fang et al.: three views learn from thick scans alone, and each from the two others.

Axial slices, coronal and sagittal planes each have a network that finds the slice halfway between
two (``nets.fang``), and the latter two undo how thick the slices are; applied again and again, they
make slices as close as is asked for. Coronal and sagittal planes learn from axial slices made as
coarse as the planes are, axial slices learn to find every second one where these are thin, and all
learn from each other on slices that nobody has seen (``families.cross_view``). No thin slice is
needed: of training pairs the thick scan alone is looked at.

Source: Fang et al., CVPR 2022, of which we know the abstract. Ours: networks and sizes, what they
correct, what coronal and sagittal planes learn from, that each round has networks of its own, which
of the losses count how much, all of training, and that distances which are no power of two of the
increment are interpolated (cubic) from the next closer slices.
"""

from dataclasses import dataclass
from typing import Any

from thinslice.families.base import settings_of
from thinslice.families.cross_view import CrossViewMethod, CrossViewRecipe, CrossViewSettings
from thinslice.interfaces import About
from thinslice.nets.fang import ThreeViews
from thinslice.nets.grey import STRETCHED

ABOUT = About(
    title="Fang et al.",
    fidelity="from-abstract",
    paper="Fang et al., CVPR 2022",
    idea="Networks of three views learn from thick scans alone, and each from the two others.",
)


@dataclass(frozen=True)
class Settings(CrossViewSettings):
    """Hyperparameters; a config line may set any of them."""

    blocks: int = 8  # residual blocks of each network
    channels: int = 64


TINY: dict[str, Any] = {  # trained in a moment
    **{"depth": 5, "side": 8, "batch": 2, "patch": [5, 8], "patches": 2},
    **{"steps": 2, "steps_further": 2, "warmup": 0, "rounds": 2},
    **{"validate_every": 1, "val_batches": 1, "blocks": 1, "channels": 4},
}


def build(**settings: Any) -> CrossViewMethod:
    s = settings_of(Settings, settings)
    sizes = {"blocks": s.blocks, "channels": s.channels}
    return CrossViewMethod(
        CrossViewRecipe(
            "fang",
            ABOUT,
            s,
            lambda: ThreeViews(**sizes),
            identity={**sizes, "grey": list(STRETCHED)},
        )
    )
