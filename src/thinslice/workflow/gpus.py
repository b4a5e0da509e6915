"""How many GPUs a job reserves, and by which resource. Standard library only.

Snakemake counts the resource ``gpu`` and passes it to a cluster as --gpus. Where a site's Slurm
takes only --gres (``gpu_request: gres`` in the config), the resource ``gres`` is set instead.
"""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any


@cache
def gpu_here() -> bool:
    """Whether this machine has an NVIDIA GPU, as far as its driver's tools tell."""
    return shutil.which("nvidia-smi") is not None


@dataclass(frozen=True)
class GpuRequests:
    """What the jobs of a run ask for.

    config       the whole config: device, gpu_request, methods
    on_cluster   whether jobs are sent elsewhere; asked late, since it is unknown while rules parse
    here         whether this machine has a GPU
    """

    config: Mapping[str, Any]
    on_cluster: Callable[[], bool]
    here: Callable[[], bool] = gpu_here

    def wanted(self) -> bool:
        """Whether torch jobs reserve a GPU: by ``device`` or, for auto, where one may be there."""
        device = self.config["device"]
        if device != "auto":
            return device.startswith("cuda")
        return self.here() or self.on_cluster()

    def of_method(self, method: str) -> int:
        """GPUs of one job of a method, when it restores."""
        return int(self.config["methods"][method]["env"] == "torch" and self.wanted())

    def of_training(self, method: str) -> int:
        """GPUs that one training takes, a process for each."""
        return self.config["methods"][method].get("gpus", 1) * self.of_method(method)

    def by_gpus(self, count: int) -> int:
        """The resource ``gpu`` of a job with ``count`` GPUs."""
        return 0 if self._by_gres() else count

    def by_gres(self, count: int) -> str:
        """The resource ``gres`` of a job with ``count`` GPUs; empty if it is not to be set."""
        kind = self.config["gpu_request"].removeprefix("gres")  # e.g. :a100
        return f"gpu{kind}:{count}" if count and self._by_gres() else ""

    def _by_gres(self) -> bool:
        return self.on_cluster() and self.config["gpu_request"].startswith("gres")
