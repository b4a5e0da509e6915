"""Small trainings in several processes; run as a program, it is one that tests kill.

The network has cases that are difficult for a group: frozen weights, and weights without gradient.
"""

import os
import sys
import time
from dataclasses import replace
from functools import partial
from itertools import count
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import mse_loss

from support.toy_training import PLAN
from thinslice.interfaces import Run
from thinslice.runtime import device
from thinslice.runtime.device import choose
from thinslice.training import loop, seeds, validation, weights
from thinslice.training.distributed import together
from thinslice.training.plan import Plan

PLANS = {  # no drop-out: each process draws its own
    "plain": Plan(steps=24, lr=1e-2, log_every=4, seed=1),
    "plateau and clip": replace(PLAN, steps=40, validate_every=2, clip_norm=0.5),
}


class Net(nn.Module):
    """Two convolutions, a frozen one, and one that does not affect the output."""

    def __init__(self, drop: float):
        super().__init__()
        self.first, self.last = nn.Conv2d(1, 4, 3, padding=1), nn.Conv2d(4, 1, 3, padding=1)
        self.frozen = nn.Conv2d(1, 1, 1).requires_grad_(False)
        self.unused = nn.Conv2d(1, 1, 1)
        self.drop = nn.Dropout(drop)

    def forward(self, x_B1PQ: Tensor) -> Tensor:
        return self.frozen(x_B1PQ) + self.last(self.drop(torch.tanh(self.first(x_B1PQ))))


def network(drop: float = 0.0) -> nn.Module:
    with seeds.seeded(PLAN.seed):
        return Net(drop).double()


def sample(rng: np.random.Generator, n: int = 6):
    x = torch.from_numpy(rng.random((n, 1, 8, 8)))
    return x, 1 - 2 * x


def loss(net: nn.Module, batch) -> Tensor:
    return mse_loss(net(batch[0]), batch[1])


def learn(plan: Plan, work: Path, run: Run, *, drop: float = 0.0, draw=sample, of=loss):
    """The trained network and the result of the training."""
    net = network(drop)
    batches = validation.fixed(sample, 2, plan.seed)

    def validate() -> float:
        return validation.rmse(net, batches, choose(run))

    return net, loop.train(net, draw, of, plan, validate=validate, work=work, run=run)


def store(net: nn.Module, path: Path) -> None:
    weights.save(path, net, method="toy", network={}, about={})


def learn_all(folder: Path, run: Run) -> None:
    """Train with each of the plans; every process stores its weights."""
    for name, plan in PLANS.items():
        net, _ = learn(plan, folder / name, run)
        store(net, folder / name / f"weights{run.rank}")


def go_wrong(folder: Path, run: Run) -> None:
    """Trainings that must fail, in every process, without stopping the next."""
    plan = PLANS["plain"]
    wrong = {
        "odd batch": partial(learn, draw=partial(sample, n=5)),
        "loss": partial(learn, of=lambda net, batch: loss(net, batch) * float("nan")),
        "batch norm": lambda plan, work, run: loop.train(
            nn.Sequential(network(), nn.BatchNorm2d(1).double()), sample, loss, plan, work=work,
            run=run,
        ),
    }  # fmt: skip
    for name, training in wrong.items():
        try:
            training(plan, folder / name, run)
            message = "nothing"
        except (ValueError, FloatingPointError) as error:
            message = f"{type(error).__name__}: {error}"
        (folder / f"{name} {run.rank}").write_text(message)


def learn_with_drop_out(folder: Path, run: Run, stops_at: int = 0, stops: int = 0) -> None:
    """The training to kill: process ``stops`` prints its id and waits before batch ``stops_at``.

    It waits so that it is killed at this step, however slow the killer is.
    """
    drawn = count(1)

    def draw(rng: np.random.Generator):
        if next(drawn) == stops_at and run.rank == stops:
            print(os.getpid(), flush=True)
            time.sleep(600)
        return sample(rng)

    net, trained = learn(PLAN, folder, run, drop=0.2, draw=draw)
    if run.rank == 0:
        store(net, folder / "weights")
        (folder / "resumed").write_text(str(trained.resumed_at))


def start(task, n: int) -> None:
    """Run a task in ``n`` processes on the CPU."""
    with device.group(Run(device="cpu", threads=n, progress=False), n) as runs:
        together(task, runs)


def tensors(path: Path) -> dict[str, np.ndarray]:
    with np.load(path) as file:
        return {name: file[name] for name in file.files if name != weights.HEAD}


def learn_and_go_wrong(folder: Path, run: Run) -> None:
    learn_all(folder, run)
    go_wrong(folder, run)


def fail_in_the_second(folder: Path, run: Run) -> None:
    if run.rank == 1:
        raise KeyError("only the second")
    learn(PLANS["plain"], folder, run)


if __name__ == "__main__":
    at, who, n = map(int, sys.argv[2:])
    start(partial(learn_with_drop_out, Path(sys.argv[1]), stops_at=at, stops=who), n)
