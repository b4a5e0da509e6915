"""Train one network in several processes on one machine, each with a share of every batch.

Every process draws the whole batch of a step, as a single one would, and takes its equal share;
gradients are averaged (``DistributedDataParallel``), so that all take the same step. Validation and
checkpoints are made by the first process, of rank 0. A group of one process touches none of torch's
process groups.
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

from thinslice.errors import Refused
from thinslice.interfaces import Run
from thinslice.runtime import processes
from thinslice.runtime.device import choose
from thinslice.training.batches import Batch

TIMEOUT = timedelta(days=1)  # a validation may be long; a dead process is noticed at once
LOOPBACK = ("lo", "lo0")  # Linux, macOS

Loss = Callable[[nn.Module, Batch], Tensor]


@dataclass(frozen=True)
class ProcessGroup:
    """The processes that train together, as process ``rank`` of ``size`` sees them; its device."""

    rank: int
    size: int
    device: torch.device

    @classmethod
    def of(cls, run: Run) -> "ProcessGroup":
        """The group of a run; RuntimeError if this process has not joined it."""
        if run.processes > 1 and not dist.is_initialized():
            raise RuntimeError(
                f"{run.processes} processes were to train together and have not met: start them by "
                "training.distributed.together"
            )
        return cls(run.rank, run.processes, choose(run))

    @property
    def leads(self) -> bool:
        """Whether this process is the one that writes files and logs."""
        return self.rank == 0

    @property
    def seed_offset(self) -> tuple[int, ...]:
        """Added to a seed for random numbers unlike the other processes'; empty if alone."""
        return () if self.size == 1 else (self.rank,)

    def share(self, batch: Batch, whole: Collection[int] = ()) -> Batch:
        """This process's share of each tensor of a batch, except those numbered in ``whole``.

        Refused (a ValueError) for a batch that cannot be shared out equally.
        """
        if self.size == 1:
            return batch
        return tuple(
            tensor if i in whole else self._share(tensor) for i, tensor in enumerate(batch)
        )

    def averaged(self, net: nn.Module, loss: Loss) -> Callable[[Batch], Tensor]:
        """The loss of a share, with gradients averaged over the group.

        ``loss`` must be a mean over its batch. All start from the weights of rank 0.
        Refused (a ValueError) for a network with batch norms, which see only a share.
        """
        if self.size == 1:
            return partial(loss, net)
        if any(isinstance(module, _BatchNorm) for module in net.modules()):
            raise Refused("batch norm sees only one process's share of a batch: set gpus to 1")
        # Looking for parameters without a gradient allows for them, and keeps the gradients' order
        # as it is from the first step on: sums come out alike before and after a resume.
        return DistributedDataParallel(
            _WithLoss(net, loss), forward_sync_buffers=False, find_unused_parameters=True
        )

    def mean(self, value: Tensor) -> Tensor:
        """The average over the group of a number on this process's device."""
        if self.size == 1:
            return value
        total = value.clone()
        dist.all_reduce(total)
        return total / self.size

    def broadcast(self, compute: Callable[[], float]) -> float:
        """Evaluate on rank 0 and broadcast the number; the others wait for it."""
        if self.size == 1:
            return float(compute())
        number = torch.full((), compute() if self.leads else 0.0, dtype=torch.float64)
        number = number.to(self.device)
        dist.broadcast(number, 0)
        return float(number)

    def wait(self) -> None:
        """Wait until every process gets here."""
        self.broadcast(lambda: 0.0)

    def sync_weights(self, net: nn.Module) -> None:
        """Give every process the weights of rank 0."""
        if self.size > 1:
            for tensor in net.state_dict().values():
                dist.broadcast(tensor, 0)

    def _share(self, tensor: Tensor) -> Tensor:
        if len(tensor) % self.size:
            raise Refused(
                f"a batch of {len(tensor)} has no equal shares for {self.size} processes: "
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
    """Run ``task`` once for each of ``runs``, in processes of one group; a single run stays here.

    The task is a function of a module, or a partial of one. EndedError if one of several fails.
    """
    if len(runs) == 1:
        return task(runs[0])
    with TemporaryDirectory(prefix="thinslice-group-") as folder:
        rendezvous = Path(folder) / "rendezvous"
        members = [partial(_member, task, run, rendezvous) for run in runs]
        processes.together(members, _environment())


def _environment() -> dict[str, str]:
    """Variables that torch reads when it is imported: the network to use, and to log errors only.

    It would warn that looking for parameters without a gradient (see ``averaged``) takes time.
    """
    variables = {"TORCH_CPP_LOG_LEVEL": "ERROR"}
    loopback = [name for _, name in socket.if_nameindex() if name in LOOPBACK]
    if loopback:
        variables["GLOO_SOCKET_IFNAME"] = loopback[0]
    return {name: value for name, value in variables.items() if name not in os.environ}


def _member(task: Callable[[Run], None], run: Run, rendezvous: Path) -> None:
    if run.rank:  # rank 0 logs for all
        logging.getLogger("thinslice").setLevel(logging.ERROR)
    with _joined(run, rendezvous):
        task(run)


@contextmanager
def _joined(run: Run, rendezvous: Path) -> Iterator[None]:
    """Join torch's process group by way of a file, which needs no port and no host name."""
    device = choose(run)
    if device.type == "cuda":
        torch.cuda.set_device(device)
    dist.init_process_group(
        "nccl" if device.type == "cuda" else "gloo",
        init_method=rendezvous.resolve().as_uri(),
        rank=run.rank,
        world_size=run.processes,
        timeout=TIMEOUT,
    )
    yield
    ProcessGroup.of(run).wait()
    dist.destroy_process_group()  # after a failure the process ends, and with it the group
