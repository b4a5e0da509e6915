"""A chest drawn from a seed: layers of solids, in the order they are painted."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from thinslice.phantom import bones, lung_contents, organs
from thinslice.phantom.body import FRAME_MM, draw_body
from thinslice.phantom.lattice import Plane
from thinslice.phantom.layers import Layer, Layers, Tint, compose


@dataclass(frozen=True)
class Anatomy:
    """Layers in painting order, and ``drawn``: what chance decided, as plain JSON."""

    layers: Sequence[Layer | Tint]
    drawn: dict[str, Any]

    def steps(self, plane: Plane, extent_mm: tuple[float, float]) -> Layers:
        """The chest along every column of ``plane``, over ``extent_mm`` of z."""
        return compose(self.layers, plane, extent_mm)


def draw_anatomy(rng: np.random.Generator, frame_mm: tuple[float, float]) -> Anatomy:
    """A patient whose chest fills a frame of (y, x) mm.

    The organs draw from generators of their own, so that one's chances do not shift another's.
    """
    parts = rng.spawn(9)
    h = draw_body(parts[0])
    lungs = organs.lungs(h)
    around = [
        organs.mediastinum(h, parts[1]),
        *organs.abdomen(h, parts[2]),
        *organs.heart(h, parts[3]),
        *organs.pipes(h, parts[4]),
        *bones.skeleton(h, parts[5]),
    ]
    painted = [bunch for layer in around for bunch in layer.solids]
    covers = lung_contents.LungMask(organs.cavity(h), painted)
    found = lung_contents.nodules(lungs, covers, parts[6])
    layers: list[Layer | Tint] = [
        *organs.body_wall(h),
        Layer("lung", h.lung_hu, lungs, ("cavity",)),
        *lung_contents.parenchyma(lungs, parts[7]),
        *lung_contents.trees(h, lungs, covers, parts[8]),
        *around,
        *(Layer(f"nodule {i}", hu, [one]) for i, (one, hu) in enumerate(found)),
    ]
    size = min(frame_mm[0] / FRAME_MM[0], frame_mm[1] / FRAME_MM[1])
    nodules = [_nodule(one.scaled(size), hu) for one, hu in found]
    drawn = {"habitus": asdict(h), "size": size, "nodules": nodules}
    return Anatomy([_scaled(layer, size) for layer in layers], drawn)


def _nodule(one, hu: float) -> dict[str, Any]:
    return {
        "centre_mm": one.centres[0].tolist(),
        "semi_axes_mm": one.semi_mm[0].tolist(),
        "volume_mm3": float(one.volumes_mm3()[0]),
        "hu": hu,
    }


def _scaled(layer: Layer | Tint, size: float) -> Layer | Tint:
    if isinstance(layer, Tint):
        return replace(layer, solids=layer.solids.scaled(size))
    return replace(layer, solids=[bunch.scaled(size) for bunch in layer.solids])
