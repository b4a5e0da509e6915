"""A small training with what can break a resume: convolutions, drop-out, plateau schedule."""

import csv
import sys
from pathlib import Path

import torch
from torch import nn
from torch.nn.functional import mse_loss

from thinslice.interfaces import Run
from thinslice.training import seeds, validation, weights
from thinslice.training.loop import Trained, train
from thinslice.training.plan import Plan

PLAN = Plan(
    steps=60,
    lr=5e-2,
    optimiser="adamw",
    weight_decay=1e-3,
    schedule="plateau",
    patience=0,
    decay=0.7,
    validate_every=7,
    log_every=4,
    checkpoint_every_s=0.0,
    seed=3,
)
QUIET = Run(device="cpu", threads=1, progress=False)


def network() -> nn.Module:
    with seeds.seeded(PLAN.seed):
        layers = [nn.Conv2d(1, 4, 3, padding=1), nn.Dropout(0.2), nn.Conv2d(4, 1, 3, padding=1)]
        return nn.Sequential(*layers).to(memory_format=torch.channels_last)


def sample(rng):
    x = torch.from_numpy(rng.random((4, 1, 8, 8), "float32"))
    return x, 1 - 2 * x


def loss(net, batch):
    return mse_loss(net(batch[0]), batch[1])


def run(work: Path, plan: Plan = PLAN, key: str = "", at_step=None) -> tuple[nn.Module, Trained]:
    net = network()
    batches = validation.fixed(sample, 2, plan.seed)

    def drawn(rng):
        if at_step is not None:
            at_step()
        return sample(rng)

    def validate() -> float:
        return validation.rmse(net, batches, torch.device("cpu"))

    return net, train(net, drawn, loss, plan, validate=validate, work=work, run=QUIET, key=key)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open() as file:
        return list(csv.DictReader(file))


def same(a, b) -> bool:
    return all(torch.equal(x, y) for x, y in zip(a.state_dict().values(), b.state_dict().values()))


def curve_numbers(trained) -> list[list[str]]:
    """The columns that must be reproduced exactly: all but the times."""
    return [[row[c] for c in ("step", "loss", "val", "lr")] for row in rows(trained.curve)]


if __name__ == "__main__":  # the process that tests kill: prints each step and saves the weights
    folder = Path(sys.argv[1])
    net, _ = run(folder, at_step=lambda: print("step", flush=True))
    weights.save(folder / "weights", net, method="toy", network={}, about={})
