"""OME-Zarr 0.5 metadata, so that napari, neuroglancer and ngff tools open a case.

OME-Zarr 0.5 knows a scale and a translation per axis but no direction. The translation is
therefore the first voxel's place along the array's own axes: patient coordinates for an axial
scan, and for an oblique one still right between scans of one frame (thick beside thin). The full
frame is kept in our own attributes.
"""

from typing import Any

import numpy as np

from thinslice.volume import Grid

AXES = ("z", "y", "x")


def image(case: str, grid: Grid, path: str) -> dict[str, Any]:
    """The ``ome`` attribute of a group whose array at ``path`` lies on ``grid``."""
    first_mm = np.array(grid.direction) @ grid.affine()[:3, 3]
    placed = [
        {"type": "scale", "scale": [float(grid.increment_mm), *map(float, grid.pixel_mm)]},
        {"type": "translation", "translation": [float(mm) for mm in first_mm]},
    ]
    level = {"path": path, "coordinateTransformations": placed}
    axes = [{"name": name, "type": "space", "unit": "millimeter"} for name in AXES]
    return {
        "version": "0.5",
        "multiscales": [{"name": case, "axes": axes, "datasets": [level]}],
    }
