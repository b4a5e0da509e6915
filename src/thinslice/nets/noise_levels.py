"""Noise levels of a diffusion whose noise is added (variance exploding), and its loss weights.

A level is the standard deviation of the noise where data have one of 1. Source: Karras et al.,
"Elucidating the design space of diffusion-based generative models", NeurIPS 2022.
"""

import numpy as np
from torch import Tensor

RHO = 7.0  # how much finer steps get towards little noise


def falling(first: float, last: float, steps: int) -> list[float]:
    """``steps`` levels from ``first`` down to ``last``, closer together where there is less noise.

    ValueError unless first >= last > 0 and there is a step; one step is at ``first``.
    """
    if not first >= last > 0 or steps < 1:
        raise ValueError(f"noise falls from first to last in steps, found {first}, {last}, {steps}")
    share = np.linspace(0, 1, steps)
    ends = first ** (1 / RHO), last ** (1 / RHO)
    return [float((ends[0] + s * (ends[1] - ends[0])) ** RHO) for s in share]


def drawn(rng: np.random.Generator, n: int, least: float, most: float) -> np.ndarray:
    """``n`` levels for training, float32, evenly spread over the logarithm."""
    return np.exp(rng.uniform(np.log(least), np.log(most), n)).astype(np.float32)


def weight(level: Tensor) -> Tensor:
    """Weight of a denoiser's squared error at a level, with which all levels count alike."""
    return (level.square() + 1) / level.square()
