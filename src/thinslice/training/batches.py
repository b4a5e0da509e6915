"""Draw training batches one step ahead of the network, each from its own random numbers."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from torch import Tensor

from thinslice.training.seeds import rng

Batch = tuple[Tensor, ...]
Sample = Callable[[np.random.Generator], Batch]


def ahead(sample: Sample, seed: int, steps: range) -> Iterator[Batch]:
    """``sample(rng(seed, step))`` for each of ``steps``; the next is drawn while one is used."""
    with ThreadPoolExecutor(1, thread_name_prefix="batches") as pool:
        coming = [pool.submit(sample, rng(seed, step)) for step in steps[:1]]
        for step in steps:
            batch = coming.pop().result()
            if step + 1 < steps.stop:
                coming.append(pool.submit(sample, rng(seed, step + 1)))
            yield batch


def to_device(batch: Batch, device: torch.device) -> Batch:
    """The batch's tensors on ``device``."""
    return tuple(tensor.to(device, non_blocking=True) for tensor in batch)
