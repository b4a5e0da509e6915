"""What a scan holds outside the window of values that a network sees.

Networks see values clipped to a window and are taught on such values, so metal (CT) and the
brightest vessels (MR) reach them cut off. What was cut is interpolated linearly, which overshoots
nowhere, and added to what the network answers.
"""

import numpy as np

from thinslice.operators.interpolation import resample
from thinslice.volume import Grid, Volume, Window


def residue(voxels: np.ndarray, window: Window) -> np.ndarray | np.float32:
    """Values less the nearest inside ``window``; a plain 0 where none is outside."""
    if voxels.min() >= window.low and voxels.max() <= window.high:
        return np.float32(0)
    return voxels - voxels.clip(window.low, window.high)


def residue_on(grid: Grid, thick: Volume, window: Window) -> np.ndarray | np.float32:
    """``residue`` of a thick scan, interpolated linearly to the voxels of ``grid``."""
    beyond = residue(thick.voxels, window)
    if not np.ndim(beyond):
        return beyond
    return resample(thick.with_voxels(np.asarray(beyond)), grid, "linear").voxels
