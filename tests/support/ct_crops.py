"""Crops that look like CT to a network: air, fat, soft tissue and bone in the grey of a window."""

import numpy as np
import torch


def ct_crop(depth: int = 4, side: int = 16, seed: int = 0, increment: float = 5.0) -> torch.Tensor:
    """Slanted layers of tissue and next to no noise in [0, 1], x_11ZYX."""
    rng = np.random.default_rng(seed)
    z, y, x = np.mgrid[:depth, :side, :side].astype(float)
    slope = rng.uniform(-0.6, 0.6, 3)
    across = (increment * z * slope[0] + y + x * slope[1]) / side
    layers = np.select([across < 0.2, across < 0.5, across < 0.8], [0.01, 0.3, 0.35], 0.5)
    layers = layers + rng.normal(0, 0.001, layers.shape)
    return torch.tensor(layers[None, None], dtype=torch.float32)
