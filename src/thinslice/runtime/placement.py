"""Give a run a device of its own; torch is imported only for methods that need it."""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace

from thinslice.interfaces import Run


def gpu_memory_gib(device: str) -> float | None:
    """Most memory that this process's tensors took on a GPU, GiB; None for any other device."""
    if not device.startswith("cuda"):
        return None
    import torch

    return torch.cuda.max_memory_allocated(device) / 2**30


def placed(run: Run, *, uses_torch: bool) -> AbstractContextManager[Run]:
    """The run on a device that no other job uses during the block; without torch, on the CPU.

    DeviceError where the device asked for is not in this machine.
    """
    if not uses_torch:
        return nullcontext(replace(run, device="cpu"))
    from thinslice.runtime import device

    return device.job(run)
