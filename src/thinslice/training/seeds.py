"""Seeded random numbers: those of a step depend on the seed and the step alone.

A training that was killed needs no saved random state to go on exactly: step 700 draws the same
batch and drops the same paths whether or not step 699 ran in the same process.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch


def rng(*numbers: int) -> np.random.Generator:
    """NumPy's generator of these non-negative numbers, e.g. ``rng(seed, step)``."""
    return np.random.default_rng(list(numbers))


def reseed(*numbers: int) -> None:
    """Set torch's random state from these numbers; call it inside ``seeded`` only."""
    torch.manual_seed(int(np.random.SeedSequence(list(numbers)).generate_state(1)[0]))


@contextmanager
def seeded(*numbers: int) -> Iterator[None]:
    """Seed torch during the block, and restore its random state afterwards."""
    devices = range(torch.cuda.device_count()) if torch.cuda.is_initialized() else ()
    with torch.random.fork_rng(devices=list(devices)):
        reseed(*numbers)
        yield
