"""Choose a job's device and threads, and lock GPUs for it.

``job`` is entered once, by the script or command that runs a method, ``group`` where several
processes train one; ``choose`` gives the device anywhere else.
"""

import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import gettempdir

import torch

from thinslice.errors import ThinsliceError
from thinslice.interfaces import Run
from thinslice.runtime import gpu_check, gpu_lock, heap

LOG = logging.getLogger(__name__)


class DeviceError(ThinsliceError, RuntimeError):
    """A device that this machine, or this job, does not have."""


def choose(run: Run) -> torch.device:
    """The device of ``run``; also sets the process's threads to ``run.threads``.

    DeviceError if that device is not in this machine.
    """
    if run.threads is not None:
        torch.set_num_threads(run.threads)
    if run.device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    device = torch.device(run.device)
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise DeviceError(
            f"device {run.device!r} was asked for, but this machine has "
            f"{torch.cuda.device_count()} GPUs: use --device cpu or auto"
        )
    return device


def default_threads() -> int:
    """Threads that torch uses unless told: one for each core that is one in hardware."""
    return torch.get_num_threads()


@contextmanager
def job(run: Run) -> Iterator[Run]:
    """``run`` with its device chosen: a GPU is locked, so that no other job uses it meanwhile."""
    with group(run, 1) as (alone,):
        yield alone


@contextmanager
def group(run: Run, count: int) -> Iterator[list[Run]]:
    """``run`` for each of ``count`` processes that train together, each with its own locked GPU.

    On a CPU the processes share its threads; where ``auto`` finds no GPU there is one process. What
    they free there they keep for their next step.
    DeviceError if there are fewer GPUs, UnusableGpuError if ``auto`` cannot use those that the job
    reserved.
    """
    threads = torch.get_num_threads()
    device = choose(run)
    try:
        if device.type != "cuda" and run.device == "auto":
            if warning := gpu_check.check(run.reserved_gpus):
                LOG.warning(warning)
        if device.type != "cuda" and run.device == "auto" and count > 1:
            LOG.warning("no GPU here: one process on the CPU instead of %d on GPUs", count)
            count = 1
        if device.type == "cpu":
            heap.keep()
        with _claimed(device, count) as devices:
            yield [_member(run, rank, devices) for rank in range(count)]
    finally:
        torch.set_num_threads(threads)


@contextmanager
def _claimed(device: torch.device, count: int) -> Iterator[list[str]]:
    """The devices of ``count`` processes, by name."""
    if device.type != "cuda" or (device.index is not None and count == 1):
        yield [str(device)] * count
        return
    if device.index is not None:
        raise DeviceError(f"device {str(device)!r} is one GPU, gpus asks for {count}: use cuda")
    names = visible(torch.cuda.device_count(), os.environ)
    if count > len(names):
        raise DeviceError(
            f"gpus asks for {count}; this job sees {len(names)} ({', '.join(names)}): lower gpus "
            "in the method's line, or let CUDA_VISIBLE_DEVICES name more"
        )
    with gpu_lock.claim(names, lock_folder(os.environ), count) as indices:
        yield [f"cuda:{index}" for index in indices]


def _member(run: Run, rank: int, devices: Sequence[str]) -> Run:
    """The run of one process; only the first shows progress, and threads are shared out."""
    threads, n = run.threads, len(devices)
    return replace(
        run,
        device=devices[rank],
        threads=threads and max(1, threads // n),
        progress=run.progress and rank == 0,
        rank=rank,
        processes=n,
    )


def visible(count: int, environ: Mapping[str, str]) -> list[str]:
    """The GPUs' names for the lock, in the order torch numbers them."""
    listed = [name.strip() for name in environ.get("CUDA_VISIBLE_DEVICES", "").split(",")]
    named = [name for name in listed if name]
    return named[:count] if len(named) >= count else [str(i) for i in range(count)]


def lock_folder(environ: Mapping[str, str]) -> Path:
    """Folder of this machine's GPU locks.

    Under Slurm every job may see its own GPU as number 0, so jobs (and steps) do not share locks;
    processes within one do.
    """
    user = os.getuid() if hasattr(os, "getuid") else 0
    scheduled = [environ.get(k, "") for k in ("SLURM_JOB_ID", "SLURM_STEP_ID")]
    scope = "-".join(["thinslice-gpu", str(user), *(s for s in scheduled if s)])
    return Path(gettempdir()) / scope
