"""Describe what a process runs in: commit, packages, machine, memory.  Standard library only."""

import contextlib
import os
import platform
import subprocess
import sys
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

try:
    import resource
except ImportError:  # Windows
    resource = None

PACKAGES = (
    "thinslice", "torch", "numpy", "scipy", "pandas", "zarr", "dask", "pydicom", "nibabel",
    "SimpleITK", "opencv-python-headless", "matplotlib", "snakemake",
)  # fmt: skip


def peak_memory_gib() -> float | None:
    """Largest resident memory of this process so far, as the operating system counts it; None where
    it does not (Windows)."""
    return _gib(resource.RUSAGE_SELF) if resource else None


def children_peak_memory_gib() -> float | None:
    """Largest resident memory of any process started here that has ended; None where it is not
    counted."""
    return _gib(resource.RUSAGE_CHILDREN) if resource else None


def resident_bytes() -> int:
    """Memory of this process now; without /proc, its largest so far; 0 where nothing counts it."""
    statm = Path("/proc/self/statm")
    if statm.exists():
        return int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return int((peak_memory_gib() or 0) * 2**30)


def _gib(who: int) -> float:
    assert resource is not None
    unit = 1 if sys.platform == "darwin" else 1024  # macOS counts bytes, Linux KiB
    return round(resource.getrusage(who).ru_maxrss * unit / 2**30, 4)


def git() -> dict[str, Any]:
    """Commit and whether tracked files differ from it; nulls outside a checkout."""
    root = Path(__file__).resolve().parent

    def output_of(*arguments: str) -> str | None:
        try:
            return subprocess.run(
                ["git", "--no-optional-locks", "-C", str(root), *arguments],
                capture_output=True,
                text=True,
                check=True,
            ).stdout.strip()
        except (OSError, subprocess.CalledProcessError):
            return None

    changed = output_of("status", "--porcelain", "--untracked-files=no")
    dirty = None if changed is None else bool(changed)
    return {"commit": output_of("rev-parse", "HEAD"), "dirty": dirty}


@cache
def versions() -> dict[str, str]:
    """Versions of Python and of the packages that compute, as this process found them."""
    installed = {}
    for name in PACKAGES:
        with contextlib.suppress(metadata.PackageNotFoundError):
            installed[name] = metadata.version(name)
    return {"python": platform.python_version(), **installed}


def machine() -> dict[str, Any]:
    """The machine as this job sees it: also which GPUs it was given, and by which Slurm job."""
    return {
        "host": platform.node(),
        "system": platform.platform(terse=True),
        "cpu": _cpu_name(),
        "cores": os.cpu_count(),
        "gpus": os.environ.get("CUDA_VISIBLE_DEVICES"),
        "slurm_job": os.environ.get("SLURM_JOB_ID"),
    }


def cpu_vendor() -> str:
    """Who made the processor: "AuthenticAMD", "GenuineIntel"; "" where the system does not say."""
    known = ("AuthenticAMD", "GenuineIntel")
    elsewhere = platform.processor()  # on Windows it ends in the vendor
    return _of_cpu("vendor_id") or next((name for name in known if name in elsewhere), "")


def _cpu_name() -> str:
    return _of_cpu("model name") or platform.processor() or platform.machine()


def _of_cpu(field: str) -> str:
    """A field of the first processor as Linux lists it; "" without such a list."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith(field):
                return line.split(":", 1)[1].strip()
    return ""
