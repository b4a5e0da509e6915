"""I3Net as released: four thick axial slices become all slices of their slab.

Mean absolute error, Adam at 3e-4 that falls to a tenth along a cosine after a warm-up, slabs of
256 x 256 pixels in batches of 6, flipped at random. HU -1024..3071 are seen as 0..1. Restored in
slabs that move by one thick slice, where several answer their mean counts, values are cut to the
window.

Slices that were seen take the place of those answered (``keep_observed``) where the training pairs'
thick slices are thin slices: as thick, at the same places. A scanner's own thick slices are not,
and are restored like all others; a network fitted on the one kind answers the other kind that way
too.

Source: Song et al., "I3Net: inter-intra-slice interpolation network for medical slice synthesis",
IEEE TMI 2024, its public code. Differs: the observed slices, which the authors always keep; larger
slices are cut into tiles that overlap, smaller ones are continued by their edge, patches lie
anywhere (theirs: the middle 256 x 256 pixels alone, the rest is not restored); values are cut
after slabs are averaged, not before; flips are left to right; the rate falls to zero and steps are
a setting (theirs: to a tenth, 1500 epochs); the weights best on the val split are kept; slices
beyond the outermost thick ones come from the scan continued by its end slices.

``build().use(state_dict)`` takes weights of theirs. ``start: linear`` is ours: the network corrects
linear interpolation, which minutes of training are enough for.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from torch import Tensor, nn

from thinslice.families.base import Shape, settings_of
from thinslice.families.cube import CUBE_TINY, CubeMethod, CubeRecipe, CubeSettings
from thinslice.interfaces import About, Pair
from thinslice.nets.i3net import I3Net, Sizes, Start
from thinslice.nets.i3net_authors import from_authors
from thinslice.training.samplers.cubes import CubeShape, positions_mm
from thinslice.volume import SAME_PLACE_MM

ABOUT = About(
    title="I3Net",
    fidelity="as-released",
    paper="Song et al., IEEE TMI 2024",
    idea="Axial slices as channels, mixed in-plane by their cosine transform, with coronal and "
    "sagittal planes convolved on the way.",
    fixed_factor=True,
    published_settings={"keep_observed": (True,)},
)


@dataclass(frozen=True)
class Settings(CubeSettings):
    """Hyperparameters; the defaults are those of the released code."""

    depth: int = 4  # thick slices the network sees
    channels: int = 64
    blocks: int = 16
    windows: int = 16  # of the cosine transform, along y and x; ``side`` is a multiple of it
    keep_observed: bool | None = None  # thick slices as they are; None: where they are thin slices
    start: Start = "learned"  # of the untrained network; "linear": linear interpolation
    batch: int = 6
    lr: float = 3e-4
    schedule: str = "cosine"
    warmup: int = 10_000
    ct: tuple[float, float] = (-1024.0, 3071.0)
    step: int | None = 1

    def network(self) -> Sizes:
        """What shapes the network, for any factor."""
        names = ("depth", "channels", "blocks", "windows", "start")
        return Sizes(size=self.side, **{name: getattr(self, name) for name in names})


TINY: dict[str, Any] = {  # at this rate rounding of a gradient near zero moves no weight by 1e-5
    **CUBE_TINY,
    **{"channels": 4, "blocks": 2, "windows": 4, "lr": 1e-4},
}


def observed(pair: Pair) -> bool:
    """Whether the thick slices are thin slices: as thick, at the same places."""
    thick, thin = pair.thick.grid, pair.thin.grid
    if abs(thick.thickness_mm - thin.thickness_mm) > SAME_PLACE_MM:
        return False
    at_mm = positions_mm(pair, CubeShape(thick.n, 1, (1, 1)), 0)
    away = (at_mm - thin.start_mm) / thin.increment_mm
    return bool(np.abs(away - np.rint(away)).max() * thin.increment_mm <= SAME_PLACE_MM)


class I3NetMethod(CubeMethod):
    """A cube method that keeps observed slices, and takes the authors' own weights."""

    def __init__(self, recipe: CubeRecipe, keep: bool | None):
        self.keep = keep  # observed slices; None: as the training pairs have it
        super().__init__(recipe)

    def use(self, state_dict: Mapping[str, Tensor], factor: int) -> None:
        """Weights by the authors' names; refuses any that is left over on either side."""
        shape = {"factor": factor, "keep": self.keep is not False}
        net = self._seeded(shape)
        net.load_state_dict(from_authors(state_dict))
        self.net, self.shape = net, shape

    def _build(self, shape: Shape) -> nn.Module:
        sizes = self.recipe.sizes
        assert isinstance(sizes, Sizes)
        return I3Net(replace(sizes, factor=shape["factor"], keep=shape.get("keep", True)))

    def _shape_for(self, pairs: Sequence[Pair]) -> Shape:
        shape, keep = super()._shape_for(pairs), self.keep
        return {**shape, "keep": all(map(observed, pairs)) if keep is None else keep}

    def _shape_in(self, network: Mapping[str, Any]) -> Shape:
        known = bool(network.get("keep", True)) if self.keep is None else self.keep
        return {**super()._shape_in(network), "keep": known}


def build(**settings: Any) -> I3NetMethod:
    s = settings_of(Settings, settings)
    s = replace(s, tile=min(s.tile, s.side))
    align = s.side // s.windows
    recipe = CubeRecipe("i3net", ABOUT, s, I3Net, s.network(), s.depth, align=align, clamp=True)
    return I3NetMethod(recipe, s.keep_observed)
