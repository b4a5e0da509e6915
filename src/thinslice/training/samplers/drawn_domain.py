"""State what a training draws, as ``fitted_on`` states which scans another one has seen.

Thick slices are drawn and made of fine rows, so the thickness of the scans says nothing of what the
network knows: the ranges that are drawn do. Fine rows and pixels are those of the scans, drawn
larger and smaller.
"""

from typing import Any

import numpy as np

from thinslice.training.fitted_on import fine_noise
from thinslice.training.samplers.drawn_slices import INCREMENT, OFF_GRID_MM, THICKNESS_MM
from thinslice.training.samplers.fine_planes import FinePlanes
from thinslice.training.samplers.varied_planes import NOISE_HU


def domain(planes: FinePlanes, slices_mm: tuple[float, float] | None = None) -> dict[str, Any]:
    """Ranges [low, high] of what is drawn from ``planes``, in the form of ``fitted_on.of_scans``.

    slices_mm   (thickness, increment) where they are always the same
    """
    used = [(scan, kind) for scan, kind in zip(planes.scans, planes.kinds) if kind]
    pixels = [mm for scan, _ in used for mm in scan.grid.pixel_mm]
    rows = [scan.grid.thickness_mm for scan, kind in used if kind in ("both", "stack")]
    rows += [mm for scan, kind in used if kind in ("both", "axial") for mm in scan.grid.pixel_mm]
    low, high = planes.zoom
    noise = max(fine_noise(scan) for scan, _ in used)
    # Of finer rows, slices of 1 mm are made too.
    thin = [low * min(rows), max(high * max(rows), 1.0 if min(rows) < OFF_GRID_MM else 0.0)]
    thickness, share = THICKNESS_MM, INCREMENT
    if slices_mm is not None:
        thickness = (slices_mm[0], slices_mm[0])
        share = (slices_mm[1] / slices_mm[0], slices_mm[1] / slices_mm[0])
    return {
        "n": len(used),
        "modality": sorted({scan.modality for scan, _ in used}),
        "kernel": [],  # any: planes are drawn softer and noisier than they are
        "thickness_mm": list(thickness),
        "increment_share": list(share),
        "thin_thickness_mm": thin,
        "thin_increment_mm": [0.0, thin[1]],  # finer ones are restored a few at a time
        "pixel_mm": [low * min(pixels), high * max(pixels)],
        "noise": [0.0, float(np.hypot(noise, NOISE_HU[1]))],
    }
