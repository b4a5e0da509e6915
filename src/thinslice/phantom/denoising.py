"""Smooth noise and keep edges, as an iterative reconstruction does.

In-plane detail is what a small blur takes away. Detail no larger than the noise is damped by
``strength``; detail much larger is left alone, so resolution depends on contrast, as measured for
such reconstructions. A nonlinear sketch of the behaviour, not of any maker's algorithm.
"""

import numpy as np
from scipy import ndimage

BLUR_PIXELS = 1.0
EDGE_SDS = 3.0  # detail this many noise sd large counts as an edge


def denoised(hu_ZYX: np.ndarray, strength: float, sd_hu: float) -> np.ndarray:
    """Slices with noise-sized detail damped; strength 0 gives the slices back."""
    if strength == 0 or sd_hu == 0:
        return hu_ZYX
    smooth = ndimage.gaussian_filter(hu_ZYX, (0, BLUR_PIXELS, BLUR_PIXELS), mode="nearest")
    detail = hu_ZYX - smooth
    damped = strength * np.exp(-((detail / (EDGE_SDS * sd_hu)) ** 2))
    return smooth + (1 - damped) * detail
