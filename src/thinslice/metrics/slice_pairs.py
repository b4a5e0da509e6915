"""Slice pairs of a thin and a thick scan: how alike are they at 0, 1 and 2 mm?

TVSRN (Yu et al., MICCAI 2022), Fig. 1: *Match* is a thin and a thick slice at the same position,
*Near* 1 mm and *Far* 2 mm apart. Acquired thick slices fall off from Match to Far faster than
averaged ones, which is why training on averages costs something.

What differs from the paper, which states no formula: positions are millimetres, so any increment
works (the nearest thin slice within half an increment stands for a position, on both sides of
the thick slice); one PSNR comes from the mean square error over all pairs of a relation; SSIM is
Gaussian and valid-only. The window is theirs, [-1024, 2048] HU, and no body mask is used.
"""

import math
from typing import Any

import numpy as np

from thinslice.metrics.errors import decibels, width
from thinslice.metrics.scored_slices import FUZZ, centres_seen_from
from thinslice.metrics.ssim import RADIUS, ssim_map
from thinslice.metrics.whole_windows import whole_windows
from thinslice.volume import Volume, Window

RELATIONS_MM = {"Match": 0.0, "Near": 1.0, "Far": 2.0}
WINDOW = Window(-1024.0, 2048.0)


def slice_pairs(thin: Volume, thick: Volume, window: Window = WINDOW) -> list[dict[str, Any]]:
    """One row per relation: relation, distance_mm, psnr_db, ssim, n (pairs of slices).

    Padding is left out. A relation without a pair has n = 0 and NaN; equal slices have infinite
    PSNR. Raises ValueError where the in-plane grids do not coincide, or slices are too small for
    SSIM's window.
    """
    _check_in_plane(thin, thick)
    rows = []
    for relation, distance_mm in RELATIONS_MM.items():
        pairs = pairs_apart(thin, thick, distance_mm)
        compared = [each for i, j in pairs if (each := _compare(thin, i, thick, j, window))]
        error, ssim = np.mean(compared, axis=0) if compared else (math.nan, math.nan)
        rows.append(
            {
                "relation": relation,
                "distance_mm": distance_mm,
                "psnr_db": decibels(float(error), width(window)),
                "ssim": float(ssim),
                "n": len(compared),
            }
        )
    return rows


def pairs_apart(thin: Volume, thick: Volume, distance_mm: float) -> list[tuple[int, int]]:
    """(thin, thick) slice numbers ``distance_mm`` apart, within half a thin increment."""
    centres, increment = thin.grid.centres_mm(), thin.grid.increment_mm
    pairs = set()
    for j, centre in enumerate(centres_seen_from(thick.grid, thin.grid)):
        for wanted in {centre - distance_mm, centre + distance_mm}:
            i = int(np.abs(centres - wanted).argmin())
            if abs(centres[i] - wanted) <= increment * (0.5 + FUZZ):
                pairs.add((i, j))
    return sorted(pairs)


def _compare(
    thin: Volume, i: int, thick: Volume, j: int, window: Window
) -> tuple[float, float] | None:
    """Mean square error and SSIM of two slices, clipped to the window; None if all is padding."""
    slices = (thick.voxels[j], thin.voxels[i])
    a, b = (v.clip(window.low, window.high).astype(np.float64) for v in slices)
    error, inside = np.square(a - b), ssim_map(a, b, window)
    padded = [
        m for m in (thin.padded(slice(i, i + 1)), thick.padded(slice(j, j + 1))) if m is not None
    ]
    within = (slice(RADIUS, -RADIUS), slice(RADIUS, -RADIUS))
    if not padded:
        return float(error.mean()), float(inside[within].mean())
    measured = ~np.logical_or.reduce(padded)
    (whole,) = whole_windows(measured, 2 * RADIUS + 1, (1, 2))
    if not whole[within].any():
        return None
    return float(error[measured[0]].mean()), float(inside[within][whole[within]].mean())


def _check_in_plane(thin: Volume, thick: Volume) -> None:
    """Refuse two scans whose pixels are at different places."""
    a, b = thin.grid, thick.grid
    normal = np.array(a.direction[0])
    apart = np.array(b.origin_mm) - np.array(a.origin_mm)
    across_mm = float(np.linalg.norm(apart - normal * (apart @ normal)))
    same = a.shape == b.shape and np.allclose(a.pixel_mm, b.pixel_mm, atol=1e-4)
    if not same or across_mm > 0.01 or min(a.shape) <= 2 * RADIUS:
        raise ValueError(
            f"slices cannot be paired: thin {a.shape} pixels of {a.pixel_mm} mm, thick {b.shape} "
            f"of {b.pixel_mm} mm, in-plane origins {across_mm:g} mm apart; one in-plane grid of at "
            f"least {2 * RADIUS + 1} pixels a side is needed"
        )
