"""Vary fine planes as scanners and patients do: contrast, kernel, noise, bone and metal.

Applied before slices are made thick, so that the thin truth has it too. HU stay in the range that
scanners store.
"""

import numpy as np
from scipy.ndimage import gaussian_filter1d

STORED_HU = (-1024.0, 3071.0)
CONTRAST = 0.4  # share of planes whose contrast is changed
GAIN = (0.6, 2.5)
MIDDLE_HU = (-900.0, 300.0)  # the value that stays
SHELLS = 0.35  # share of planes with shells of bone or metal added
SHELL_HU = (150.0, 2800.0)
SOFT = 0.35  # share of planes with a softer kernel
SOFT_PIXELS = (0.3, 1.0)  # standard deviation along columns and rows
NOISE = 0.3  # share of planes with more noise
NOISE_HU = (2.0, 30.0)


def varied(voxels_LWN: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A slab as another scanner or patient might show it; HU, float32."""
    out = voxels_LWN
    if rng.random() < CONTRAST:
        gain, middle = np.exp(rng.uniform(*np.log(GAIN))), rng.uniform(*MIDDLE_HU)
        out = middle + np.float32(gain) * (out - middle)
    for _ in range(int(rng.integers(1, 4)) if rng.random() < SHELLS else 0):
        out = _with_shell(out, rng)
    if rng.random() < SOFT:
        out = gaussian_filter1d(out, float(rng.uniform(*SOFT_PIXELS)), axis=1, mode="nearest")
    if rng.random() < NOISE:
        white = rng.standard_normal(out.shape, np.float32) * np.float32(rng.uniform(*NOISE_HU))
        grain = float(rng.uniform(0, 0.8))  # of the kernel, along columns
        out = out + gaussian_filter1d(white, grain, axis=1, mode="nearest")
    return np.clip(out, *STORED_HU).astype(np.float32, copy=False)


def _with_shell(voxels_LWN: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A slab with an elliptical shell of bone or metal, which leans from plane to plane."""
    length, width, planes = voxels_LWN.shape
    centre = rng.uniform(-0.3, 1.3, 2) * (length, width)
    radii = np.exp(rng.uniform(np.log(2), np.log(60), 2))
    angle, thickness = rng.uniform(0, np.pi), np.exp(rng.uniform(np.log(1), np.log(8)))
    lean = rng.normal(0, 0.7, 2)
    p, q = np.ogrid[:length, :width]
    out = voxels_LWN.copy()
    value = np.float32(rng.uniform(*SHELL_HU))
    for k in range(planes):
        a, b = p - centre[0] - lean[0] * k, q - centre[1] - lean[1] * k
        u = (a * np.cos(angle) + b * np.sin(angle)) / radii[0]
        v = (b * np.cos(angle) - a * np.sin(angle)) / radii[1]
        inside = (1 - np.sqrt(u * u + v * v)) * radii.min()  # pixels from the outer edge
        share = np.clip(inside + 0.5, 0, 1) * np.clip(thickness - inside + 0.5, 0, 1)
        out[..., k] += share.astype(np.float32) * (value - out[..., k])
    return out
