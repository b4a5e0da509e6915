"""A chest drawn from a seed: layers of solids, in the order they are painted."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from thinslice.phantom import bones, lung_contents, organs
from thinslice.phantom.body import FRAME_MM, draw_body
from thinslice.phantom.lattice import Plane
from thinslice.phantom.layers import Layer, Layers, Tint, compose
from thinslice.phantom.solids import Ellipsoids, joined


@dataclass(frozen=True)
class Anatomy:
    """Layers in painting order, and ``drawn``: what chance decided, as plain JSON."""

    layers: Sequence[Layer | Tint]
    drawn: dict[str, Any]

    def steps(self, plane: Plane, extent_mm: tuple[float, float]) -> Layers:
        """The chest along every column of ``plane``, over ``extent_mm`` of z."""
        return compose(self.layers, plane, extent_mm)


def draw_anatomy(
    rng: np.random.Generator,
    frame_mm: tuple[float, float],
    nodules_mm: tuple[float, float] = lung_contents.NODULES_MM,
) -> Anatomy:
    """A patient whose chest fills a frame of (y, x) mm, with nodules of these radii.

    Each organ draws from its own generator, so that a change of one leaves the others as they are.
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
    mask = lung_contents.LungMask(joined(organs.cavity(h)), joined(painted))
    nodules = lung_contents.nodules(lungs, mask, parts[6], nodules_mm)
    layers: list[Layer | Tint] = [
        *organs.body_wall(h),
        Layer("lung", h.lung_hu, lungs, ("cavity",)),
        *lung_contents.parenchyma(lungs, parts[7]),
        *lung_contents.trees(h, lungs, mask, parts[8]),
        *around,
        *(Layer(f"nodule {i}", hu, [solid]) for i, (solid, hu) in enumerate(nodules)),
    ]
    size = min(frame_mm[0] / FRAME_MM[0], frame_mm[1] / FRAME_MM[1])
    described = [_nodule(solid.scaled(size), hu) for solid, hu in nodules]
    drawn = {"habitus": asdict(h), "size": size, "nodules": described}
    return Anatomy([_scaled(layer, size) for layer in layers], drawn)


def _nodule(solid: Ellipsoids, hu: float) -> dict[str, Any]:
    return {
        "centre_mm": solid.centres[0].tolist(),
        "semi_axes_mm": solid.semi_mm[0].tolist(),
        "volume_mm3": float(solid.volumes_mm3()[0]),
        "hu": hu,
    }


def _scaled(layer: Layer | Tint, size: float) -> Layer | Tint:
    if isinstance(layer, Tint):
        return replace(layer, solids=layer.solids.scaled(size))
    return replace(layer, solids=[bunch.scaled(size) for bunch in layer.solids])
