"""Draw training batches ahead of the network, each from its own random numbers.

Several readers draw several at once; which batch a step gets does not depend on their number.
"""

import time
from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from torch import Tensor

from thinslice.training.seeds import rng

Batch = tuple[Tensor, ...]
Sample = Callable[[np.random.Generator], Batch]


def ahead(
    sample: Sample, seed: int, steps: range, readers: int = 1
) -> Generator[Batch, None, None]:
    """``sample(rng(seed, step))`` for each of ``steps``; the next ones are drawn while one is used.

    Close it where a training may end early: else its readers end when it is collected, and a
    collection in a thread that just begins waits for ever for the lock that it has.

    readers   threads, and batches that are drawn ahead
    """
    with ThreadPoolExecutor(readers, thread_name_prefix="batches") as pool:
        coming = deque(pool.submit(sample, rng(seed, step)) for step in steps[:readers])
        for step in steps:
            batch = coming.popleft().result()
            if step + readers < steps.stop:
                coming.append(pool.submit(sample, rng(seed, step + readers)))
            yield batch


class Waited:
    """Batches of an iterator, and the seconds that were spent waiting for them."""

    def __init__(self, batches: Iterator[Batch]):
        self.batches = batches
        self.seconds = 0.0

    def __iter__(self) -> Iterator[Batch]:
        while True:
            began = time.monotonic()
            batch = next(self.batches, None)
            self.seconds += time.monotonic() - began
            if batch is None:
                return
            yield batch


def to_device(batch: Batch, device: torch.device) -> Batch:
    """The batch's tensors on ``device``."""
    return tuple(tensor.to(device, non_blocking=True) for tensor in batch)
