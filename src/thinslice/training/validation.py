"""Validate on fixed crops of the validation patients, drawn once."""

from collections.abc import Sequence

import torch
from torch import nn

from thinslice.training.batches import Batch, Sample, to_device
from thinslice.training.seeds import rng

# A stream of random numbers that no training step of the same seed draws from.
STREAM = 2**32 - 1


def fixed(sample: Sample, n: int, seed: int) -> list[Batch]:
    """``n`` batches that depend on ``seed`` alone."""
    return [sample(rng(seed, STREAM, i)) for i in range(n)]


@torch.no_grad()
def rmse(net: nn.Module, batches: Sequence[Batch], device: torch.device) -> float:
    """Root mean square error of ``net`` over batches of (inputs..., answer), in their unit."""
    square, n = 0.0, 0
    for batch in batches:
        *inputs, y = to_device(batch, device)
        square += float((net(*inputs) - y).double().square().sum())
        n += y.numel()
    return (square / n) ** 0.5
