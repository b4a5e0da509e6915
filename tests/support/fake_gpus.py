"""Give a job script three fake GPUs when imported first: they are locked, the CPU computes.

Claims and releases are logged to gpus.log in the working folder.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import torch

from thinslice.interfaces import Run
from thinslice.runtime import device, gpu_lock

LOCKS = Path("gpu_locks")
real_choose, real_claim = device.choose, gpu_lock.claim


def choose(run: Run) -> torch.device:
    if run.device in ("auto", "cuda"):
        return torch.device("cuda")
    return real_choose(replace(run, device="cpu"))


@contextmanager
def claim(*given, **named) -> Iterator[list[int]]:
    with real_claim(*given, **named) as gpus, open("gpus.log", "a", buffering=1) as log:
        log.write(f"take {os.getpid()} {' '.join(map(str, gpus))}\n")
        yield gpus
        log.write(f"give {os.getpid()} {' '.join(map(str, gpus))}\n")


torch.cuda.is_available = lambda: True
torch.cuda.device_count = lambda: 3
device.choose, gpu_lock.claim = choose, claim
device.lock_folder = lambda environ: LOCKS
