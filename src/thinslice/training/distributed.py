"""Several processes that train one network on one machine, each with its share of every batch.

Every process draws the whole batch of a step, as one alone would, and takes its equal part of it;
gradients are averaged (``DistributedDataParallel``), so that all take the same step. What has to be
said once (a validation, a checkpoint) is the business of the first process, which leads. A team of
one asks nobody: none of torch's process groups is touched.
"""

import logging
import os
import socket
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.parallel import DistributedDataParallel

from thinslice.interfaces import Run
from thinslice.runtime import processes
from thinslice.runtime.device import choose
from thinslice.training.batches import Batch

PATIENCE = timedelta(days=1)  # with the one that validates; dead ones are noticed at once
LOOPBACK = ("lo", "lo0")  # Linux, macOS

Loss = Callable[[nn.Module, Batch], Tensor]


@dataclass(frozen=True)
class ProcessGroup:
    """Who trains: the ``rank``-th of ``size`` processes, and the device it computes on."""

    rank: int
    size: int
    device: torch.device

    @classmethod
    def of(cls, run: Run) -> "ProcessGroup":
        """The team that ``run`` names; RuntimeError if this process has not joined it."""
        if run.processes > 1 and not dist.is_initialized():
            raise RuntimeError(
                f"{run.processes} processes were to train together and have not met: start them by "
                "training.team.together"
            )
        return cls(run.rank, run.processes, choose(run))

    @property
    def leads(self) -> bool:
        """Whether this process writes and speaks for all."""
        return self.rank == 0

    @property
    def apart(self) -> tuple[int, ...]:
        """What keeps this process's random numbers apart from the others'; nothing if alone."""
        return () if self.size == 1 else (self.rank,)

    def share(self, batch: Batch, whole: Collection[int] = ()) -> Batch:
        """This process's part of a batch: of each tensor, but for those that all need ``whole``.

        ValueError for a batch that cannot be parted equally.
        """
        if self.size == 1:
            return batch
        return tuple(tensor if i in whole else self._part(tensor) for i, tensor in enumerate(batch))

    def averaged(self, net: nn.Module, loss: Loss) -> Callable[[Batch], Tensor]:
        """The loss of a share, whose gradients are the average over the team.

        ``loss`` must be a mean over its batch. All start from the first process's weights.
        ValueError for a network with batch norms, which see only a share.
        """
        if self.size == 1:
            return partial(loss, net)
        if any(isinstance(module, _BatchNorm) for module in net.modules()):
            raise ValueError("batch norm sees one process's share of a batch only: train with 1")
        # Looking for parameters without a gradient allows for them, and keeps the gradients' order
        # as it is from the first step on: sums come out alike before and after a resume.
        return DistributedDataParallel(
            _WithLoss(net, loss), forward_sync_buffers=False, find_unused_parameters=True
        )

    def mean(self, value: Tensor) -> Tensor:
        """The average over the team of a number on the team's device."""
        if self.size == 1:
            return value
        total = value.clone()
        dist.all_reduce(total)
        return total / self.size

    def told(self, find: Callable[[], float]) -> float:
        """What the first process finds; the others wait for it."""
        if self.size == 1:
            return float(find())
        number = torch.full((), find() if self.leads else 0.0, dtype=torch.float64)
        number = number.to(self.device)
        dist.broadcast(number, 0)
        return float(number)

    def wait(self) -> None:
        """Until all have come as far as this."""
        self.told(lambda: 0.0)

    def levelled(self, net: nn.Module) -> None:
        """Give all the first process's weights."""
        if self.size > 1:
            for tensor in net.state_dict().values():
                dist.broadcast(tensor, 0)

    def _part(self, tensor: Tensor) -> Tensor:
        if len(tensor) % self.size:
            raise ValueError(
                f"a batch of {len(tensor)} cannot be parted equally among {self.size} processes: "
                f"set batch to a multiple of {self.size}, or gpus to a divisor of {len(tensor)}"
            )
        n = len(tensor) // self.size
        return tensor[self.rank * n : (self.rank + 1) * n]


class _WithLoss(nn.Module):
    """A network and its loss as one module, so that a loss may call whatever its network has."""

    def __init__(self, net: nn.Module, loss: Loss):
        super().__init__()
        self.net, self.loss = net, loss

    def forward(self, batch: Batch) -> Tensor:
        return self.loss(self.net, batch)


def together(task: Callable[[Run], None], runs: Sequence[Run]) -> None:
    """Do ``task`` once for each of ``runs``, in processes that have met; one run stays in this one.

    The task is a function of a module, or a partial of one. EndedError if one of several fails.
    """
    if len(runs) == 1:
        return task(runs[0])
    with TemporaryDirectory(prefix="thinslice-team-") as folder:
        meeting = Path(folder) / "meeting"
        members = [partial(_member, task, run, meeting) for run in runs]
        processes.together(members, _environment())


def _environment() -> dict[str, str]:
    """What torch reads when it is imported: which network to use, and to keep to errors.

    It would warn that looking for parameters without a gradient (see ``averaged``) takes time.
    """
    said = {"TORCH_CPP_LOG_LEVEL": "ERROR"}
    loopback = [name for _, name in socket.if_nameindex() if name in LOOPBACK]
    if loopback:
        said["GLOO_SOCKET_IFNAME"] = loopback[0]
    return {name: value for name, value in said.items() if name not in os.environ}


def _member(task: Callable[[Run], None], run: Run, meeting: Path) -> None:
    if run.rank:  # what there is to say, the first process says
        logging.getLogger("thinslice").setLevel(logging.ERROR)
    with _met(run, meeting):
        task(run)


@contextmanager
def _met(run: Run, meeting: Path) -> Iterator[None]:
    """Torch's process group, over a file: there is no port to be taken and no host to be named."""
    device = choose(run)
    if device.type == "cuda":
        torch.cuda.set_device(device)
    dist.init_process_group(
        "nccl" if device.type == "cuda" else "gloo",
        init_method=meeting.resolve().as_uri(),
        rank=run.rank,
        world_size=run.processes,
        timeout=PATIENCE,
    )
    yield
    ProcessGroup.of(run).wait()
    dist.destroy_process_group()  # after a failure the process ends, and with it the group
