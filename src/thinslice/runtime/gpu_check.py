"""Report GPUs that torch cannot use: a warning, or an error of a job that reserved them."""

import os
import subprocess
from collections.abc import Mapping

import torch

from thinslice.errors import ThinsliceError

ALLOW = "THINSLICE_UNUSED_GPU"  # "allow": for clusters of pretend GPUs, and to go on regardless
RESERVED = ("SLURM_STEP_GPUS", "SLURM_JOB_GPUS")  # what Slurm gave this job


class UnusableGpuError(ThinsliceError, ValueError):
    """A job cannot use the GPUs that it reserved."""


def build() -> str:
    """Which build of torch is installed, in words."""
    if torch.version.cuda:
        return f"CUDA {torch.version.cuda} build"
    return "ROCm build" if torch.version.hip else "CPU build"


def present() -> list[str]:
    """The NVIDIA GPUs of this machine, a line each, as ``nvidia-smi -L`` names them."""
    try:
        done = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return []
    return [line for line in done.stdout.splitlines() if line.startswith("GPU ")]


def unused() -> str | None:
    """Why torch cannot use the GPUs of this machine and what to do; None if it can or has none."""
    if torch.cuda.is_available():
        return None
    gpus = present()
    return f"{len(gpus)} GPU(s) here and not used: {_reason()}" if gpus else None


def reserved(environ: Mapping[str, str]) -> int:
    """How many GPUs Slurm reserved for this job."""
    return max(len([name for name in environ.get(key, "").split(",") if name]) for key in RESERVED)


def check(count: int) -> str | None:
    """A warning of GPUs that torch cannot use, or None. UnusableGpuError if they are reserved.

    ``count`` is what the workflow reserved; Slurm's own reservation counts as well.
    """
    count = max(count, reserved(os.environ))
    if not count or torch.cuda.is_available():
        return unused()
    message = f"this job reserved {count} GPU(s) and cannot use them: {_reason()}"
    if os.environ.get(ALLOW) == "allow":
        return message
    raise UnusableGpuError(message)


def _reason() -> str:
    advice = "see docs/how-to/torch.md, or set device: cpu, which reserves none"
    if torch.version.cuda is None and torch.version.hip is None:
        return f"torch {torch.__version__} is the CPU build; install one with CUDA ({advice})"
    return f"torch {torch.__version__} ({build()}) finds no GPU; does the driver suit? ({advice})"
