"""SAINT as released: kernels made of distances fill in slices of two views, which are then fused.

Stage one sees three neighbouring coronal or sagittal planes of the thick slices and answers the
thin slices of the middle one; stage two corrects the mean of the two views in axial planes. Mean
absolute error, Adam at 1e-4, patches of 10 thick slices x 512 pixels in batches of 120, then axial
planes of 512 x 512, one per step. HU -1024..2976 are seen as 0..4000, and what the first stage
answers is cut to that and rounded to whole HU, as the second one's answer is cut.

Source: Peng et al., "SAINT: spatially aware interpolation network for medical slice synthesis",
CVPR 2020, its public code. Differs: training increments are those of the pairs (theirs: every
fourth or sixth slice, and scans thinned out further at random); any phase and pixel size is taken,
and scans smaller than a patch are mirrored out in-plane; steps are a setting (theirs: 150 epochs,
of a length we do not know); the weights best on the val split are kept; second-stage answers are
kept as half-precision numbers while it trains.

``build().use(views, fusion)`` takes weights of theirs. ``start: linear`` is ours: the networks
correct linear interpolation, which minutes of training are enough for.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from torch import Tensor

from thinslice.families.base import settings_of
from thinslice.families.spaced_views import (
    SpacedMethod,
    SpacedRecipe,
    SpacedSettings,
    SpacedViews,
)
from thinslice.interfaces import About
from thinslice.nets.saint import Dense, Fusion, SpacedPlanes, Start, from_authors

ABOUT = About(
    title="SAINT",
    fidelity="as-released",
    paper="Peng et al., CVPR 2020",
    idea="Kernels predicted from distances in mm fill in the slices of coronal and sagittal "
    "planes; a second network fuses the two views.",
    published_settings={"fuse": (True, False)},
)


@dataclass(frozen=True)
class Settings(SpacedSettings):
    """Hyperparameters; the defaults are those of the released code."""

    blocks: int = 6  # of the first stage
    layers: int = 8  # of a block
    growth: int = 32  # features that a layer adds
    channels: int = 64  # features between blocks, in both stages
    fusion_blocks: int = 4
    fusion_layers: int = 6
    fusion_growth: int = 12
    start: Start = "learned"  # of the untrained network; "linear": linear interpolation


TINY: dict[str, Any] = {  # trained in a moment
    **{"steps": 2, "steps_fusion": 2, "validate_every": 1, "val_batches": 1},
    **{"patch": [4, 16], "batch": 2, "batch_fusion": 4, "side": 16},
    **{"blocks": 1, "layers": 1, "growth": 2, "channels": 4},
    **{"fusion_blocks": 1, "fusion_layers": 1, "fusion_growth": 2},
}


class SaintMethod(SpacedMethod):
    """A method of spaced views that also takes the authors' own weights."""

    def use(self, views: Mapping[str, Tensor], fusion: Mapping[str, Tensor] | None = None) -> None:
        """Weights by the authors' names; refuses any that is left over on either side.

        Without ``fusion`` the two views are averaged, whatever the settings say.
        """
        shape = {"fuse": fusion is not None}
        net = self._seeded(shape)
        assert isinstance(net, SpacedViews)
        net.views.load_state_dict(from_authors(views))
        if net.fusion is not None and fusion is not None:
            net.fusion.load_state_dict(from_authors(fusion, fusion=True))
        self.net, self.shape = net, shape


def build(**settings: Any) -> SaintMethod:
    s = settings_of(Settings, settings)
    views = Dense(s.blocks, s.layers, s.growth, s.channels)
    fusion = Dense(s.fusion_blocks, s.fusion_layers, s.fusion_growth, s.channels)
    return SaintMethod(
        SpacedRecipe(
            "saint",
            ABOUT,
            s,
            network=lambda: SpacedPlanes(views, start=s.start),
            fusion=lambda: Fusion(fusion, start=s.start),
            identity={"views": asdict(views), "fusion": asdict(fusion), "start": s.start},
        )
    )
