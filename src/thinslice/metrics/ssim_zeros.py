"""SSIM of planes in [0, 1] as several authors have it: Gaussian (11, sigma 1.5), zeros around.

The window reaches over the plane's edges, where it sees zeros, and every pixel counts. Separable
OpenCV stands for their 11 x 11 convolutions, equal to 2e-5 in float32 and 1e-8 in float64.
"""

import cv2
import numpy as np

from thinslice.metrics.ssim import RADIUS, TAPS

SIDE = 2 * RADIUS + 1
C1, C2 = 0.01**2, 0.03**2


def plane_ssim(restored: np.ndarray, thin: np.ndarray, counted: np.ndarray | None = None) -> float:
    """SSIM of two planes, in their own precision; the mean over the pixels counted.

    counted   boolean; None: all
    """
    x, y = (np.ascontiguousarray(plane) for plane in (restored, thin))
    mx, my, xx, yy, xy = (_smooth(plane) for plane in (x, y, x * x, y * y, x * y))
    luminance = (2 * mx * my + C1) / (mx * mx + my * my + C1)
    structure = (2 * (xy - mx * my) + C2) / (xx - mx * mx + yy - my * my + C2)
    values = luminance * structure
    return float((values if counted is None else values[counted]).mean(dtype=np.float64))


def _smooth(values: np.ndarray) -> np.ndarray:
    """Gaussian-weighted means with zeros around."""
    return cv2.sepFilter2D(values, -1, TAPS, TAPS, borderType=cv2.BORDER_CONSTANT)
