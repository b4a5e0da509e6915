"""Scans whose values are their z in mm."""

import numpy as np

from thinslice.volume import Grid, Volume


def scans() -> tuple[Volume, Volume]:
    """A thin scan whose values are its z in mm, and thick slices of it."""
    thin = Grid(n=20, increment_mm=1.0, thickness_mm=1.0, shape=(16, 24), pixel_mm=(0.8, 0.8))
    thick = thin.with_slices(n=4, increment_mm=5.0, thickness_mm=5.0, start_mm=2.0)
    return tuple(
        Volume(np.broadcast_to(g.centres_mm()[:, None, None], g.zyx).astype(np.float32), g)
        for g in (thin, thick)
    )
