"""Which voxels are a structure of the chest: what a segmentation of it should find.

A voxel is of what is painted last at its centre, as the layers are (``layers``).
"""

from collections.abc import Sequence

import numpy as np

from thinslice.phantom.layers import Layer, Tint
from thinslice.phantom.solids import contains
from thinslice.volume import Grid

STRUCTURES = ("heart", "nodule")  # labels 1, 2


def label_map(layers: Sequence[Layer | Tint], grid: Grid) -> np.ndarray:
    """Labels uint8 [Z, Y, X]: 0, or the place of a structure in ``STRUCTURES``, from 1.

    grid   whose frame is centred on the patient, as the phantom's grids are
    """
    points = _centres(grid)
    labels = np.zeros(len(points), np.uint8)
    for layer in layers:
        if isinstance(layer, Tint):
            continue
        if structure := _structure(layer.name):
            labels[contains(layer.solids, points)] = structure
        elif not layer.over:  # it covers whatever lies there
            some = np.flatnonzero(labels)
            labels[some[contains(layer.solids, points[some])]] = 0
    return labels.reshape(grid.zyx)


def _structure(name: str) -> int:
    """The label of a layer; 0 for one that is no structure. Nodules are numbered."""
    kind = name.partition(" ")[0] if name.startswith("nodule ") else name
    return STRUCTURES.index(kind) + 1 if kind in STRUCTURES else 0


def _centres(grid: Grid) -> np.ndarray:
    """Centres of all voxels [N, (z, y, x)], mm from the middle of the chest."""
    y, x = (
        (np.arange(n) - (n - 1) / 2) * mm for n, mm in zip(grid.shape, grid.pixel_mm, strict=True)
    )
    axes = np.meshgrid(grid.centres_mm(), y, x, indexing="ij")
    return np.stack([axis.ravel() for axis in axes], axis=1)
