"""Where a job computes: CPU or GPU, how many threads, and a GPU of its own.

``job`` is entered once, by the script or command that runs a method; ``choose`` is asked by
whatever needs the device.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import gettempdir

import torch

from thinslice.drivers import gpu_lock
from thinslice.seams import Run


def choose(run: Run) -> torch.device:
    """The device of ``run``; also sets the process's threads to ``run.threads``.

    RuntimeError if the device asked for is not in this machine.
    """
    if run.threads is not None:
        torch.set_num_threads(run.threads)
    if run.device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    device = torch.device(run.device)
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise RuntimeError(
            f"device {run.device!r} was asked for; this machine shows "
            f"{torch.cuda.device_count()} GPUs: use --device cpu or auto"
        )
    return device


@contextmanager
def job(run: Run) -> Iterator[Run]:
    """``run`` with its device settled: on GPU, one that no other job holds until this one ends."""
    threads = torch.get_num_threads()
    device = choose(run)
    try:
        if device.type != "cuda" or device.index is not None:
            yield replace(run, device=str(device))
            return
        names = visible(torch.cuda.device_count(), os.environ)
        with gpu_lock.claim(names, lock_folder(os.environ)) as index:
            yield replace(run, device=f"cuda:{index}")
    finally:
        torch.set_num_threads(threads)


def visible(count: int, environ: Mapping[str, str]) -> list[str]:
    """The GPUs' names for the lock, in the order torch numbers them."""
    listed = [name.strip() for name in environ.get("CUDA_VISIBLE_DEVICES", "").split(",")]
    named = [name for name in listed if name]
    return named[:count] if len(named) >= count else [str(i) for i in range(count)]


def lock_folder(environ: Mapping[str, str]) -> Path:
    """Where this machine's GPU locks are.

    Under Slurm every job may see its own GPU as number 0, so jobs (and steps) do not share locks;
    what runs side by side within one does.
    """
    user = os.getuid() if hasattr(os, "getuid") else 0
    scheduled = [environ.get(k, "") for k in ("SLURM_JOB_ID", "SLURM_STEP_ID")]
    scope = "-".join(["thinslice-gpu", str(user), *(s for s in scheduled if s)])
    return Path(gettempdir()) / scope
