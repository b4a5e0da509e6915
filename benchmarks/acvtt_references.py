"""Measure whether references pay: ACVTT's first stage with and without, from the same warm start.

    python benchmarks/acvtt_references.py --channels 16 --side 64 --steps 600

A U-Net learns without references first. From its weights every line goes on for as many steps: on
without (and for as long as three references take), with references as published, with smaller
tokens (more of them), with sharper attention, with references from anywhere in the scan instead of
the patch's own place, and with an oracle: the *thin* planes asked for, of three of four patches.
Judged on fixed patches of patients it has not seen (of a phantom as
acquired): with references of its own kind, with those of another patient ("wrong"; where the two
are the same, references are not used), and by the network that went on without ("control").
"""

import argparse
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from thinslice.datasets import phantom
from thinslice.interfaces import Pair
from thinslice.nets.acvtt import ACVTT
from thinslice.nets.grey import STRETCHED
from thinslice.nets.references import ReferenceAttention
from thinslice.training.batches import Batch
from thinslice.training.samplers.crops import read_at
from thinslice.training.samplers.referenced_planes import ReferencedPlanes, anywhere, inside

CT = (-1024.0, 3071.0)
WIDTH_HU = CT[1] - CT[0]
SHARP = 8.0
SMALL = {"shape": [48, 64], "pixel_mm": [2.6, 2.6], "length_mm": 64.0}
Draw = Callable[[np.random.Generator], Batch]


class Line(NamedTuple):
    """One way to go on."""

    name: str
    references: int = 3
    token: int = 8
    sharp: float = 1.0
    drawn: str = "inside"  # or anywhere, oracle
    longer: float = 1.0  # times the steps


LINES = (
    Line("no references", references=0),
    Line("no references, equal seconds", references=0, longer=2.1),
    Line("as published"),
    Line("tokens of 4 x 4", token=4),
    Line("attention sharper by 8", sharp=SHARP),
    Line("from anywhere in the scan", drawn="anywhere"),
    Line("oracle's patches, none", references=0, drawn="oracle"),
    Line("oracle", drawn="oracle"),
)


class OwnThin(ReferencedPlanes):
    """Coronal planes side by side; the references are the thin planes of the first of them."""

    def __call__(self, rng: np.random.Generator) -> Batch:
        i = int(rng.integers(len(self.pairs)))
        pair, cube = self.pairs[i], self._cube(i, rng)
        k = int(rng.integers(pair.thin.grid.shape[0] - self.batch + 1))
        rows = slice(k, k + self.batch)
        at_mm = pair.thin.grid.centres_mm()[cube.z] - self.shifts_mm[i]
        blocks = (
            read_at(pair.thick, at_mm, rows, cube.x, "linear"),
            pair.thin.read(cube.z, rows, cube.x),
        )
        x, y = (
            torch.from_numpy(self.windows[i].to_unit(block).swapaxes(0, 1).astype(np.float32))[
                :, None
            ]
            for block in blocks
        )
        return (x, y[: self.n_references], y) if self.n_references else (x, y)


def patients(n: dict[str, int], seed: int, size: dict[str, Any]) -> dict[str, list[Pair]]:
    """Pairs of a phantom as acquired, by split."""
    found: dict[str, list[Pair]] = {split: [] for split in n}
    for case in phantom.build(seed=seed, patients=n, **size).cases(Path()):
        assert case.thick is not None
        assert case.thin is not None
        found[case.split].append(Pair(case.name, case.thick, case.thin))
    return found


def drawing(line: Line, pairs: list[Pair], a: argparse.Namespace) -> Draw:
    """Batches as the line draws them."""
    kind = OwnThin if line.drawn == "oracle" else ReferencedPlanes
    where = anywhere if line.drawn == "anywhere" else inside
    return kind(pairs, a.side, a.batch, line.references, where, CT)


def network(line: Line, start: dict[str, Tensor] | None, a: argparse.Namespace) -> ACVTT:
    """The line's network, its U-Net with the weights of the warm start."""
    torch.manual_seed(0)
    net = ACVTT(a.channels, 3, line.references, grey=STRETCHED, token=line.token)
    net.rest()
    if start is not None:
        net.unet.load_state_dict(start)
    for part in net.modules():
        if isinstance(part, ReferenceAttention):
            part.norm_query.weight.data *= line.sharp
    return net


def train(net: ACVTT, draw: Draw, steps: int, a: argparse.Namespace) -> float:
    """Mean absolute error, Adam, cosine; its CPU seconds."""
    began = time.process_time()
    optimiser = torch.optim.Adam(net.parameters(), lr=a.lr)
    for step in range(steps):
        for group in optimiser.param_groups:
            group["lr"] = a.lr * (1 + math.cos(math.pi * step / steps)) / 2
        *seen, y = draw(np.random.default_rng([1, step]))
        optimiser.zero_grad()
        (net(*seen) - y).abs().mean().backward()
        optimiser.step()
    return time.process_time() - began


@torch.inference_mode()
def judge(
    net: ACVTT, control: ACVTT, line: Line, pairs: list[Pair], a: argparse.Namespace
) -> list[float]:
    """RMSE in HU over fixed patches: with own references, another patient's, and the control's."""
    batches = [
        drawing(line, [pair], a)(np.random.default_rng([2, k]))
        for k in range(a.judged)
        for pair in pairs
    ]
    squares = np.zeros((3, len(batches)))
    for k, (x, *seen, y) in enumerate(batches):
        others = batches[(k + 1) % len(batches)][1:-1]
        answers = net(x, *seen), net(x, *others), control(x)
        squares[:, k] = [(answer - y).square().mean() for answer in answers]
    return [float(value) for value in WIDTH_HU * np.sqrt(squares.mean(1))]


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--channels", type=int, default=8)
    p.add_argument("--side", type=int, default=32)
    p.add_argument("--batch", type=int, default=4)
    p.add_argument("--steps", type=int, default=300, help="of the warm start, and again of a line")
    p.add_argument("--lr", type=float, default=2e-3)
    p.add_argument("--judged", type=int, default=40, help="batches per patient")
    p.add_argument("--seed", type=int, default=1, help="of the phantom")
    p.add_argument("--only", default="", help="lines whose name holds this")
    p.add_argument("--whole", action="store_true", help="the phantom's usual size")
    a = p.parse_args()
    torch.set_num_threads(1)
    counts = {"train": 4, "test": 2}
    pairs = patients(counts, a.seed, {} if a.whole else SMALL)
    warm = network(LINES[0], None, a)
    train(warm, drawing(LINES[0], pairs["train"], a), a.steps, a)
    print(f"{'':30} {'CPU s':>6} {'RMSE':>7} {'wrong':>7} {'control':>7}")
    control = warm
    for line in (line for line in LINES if a.only in line.name):
        net = network(line, warm.unet.state_dict(), a)
        seconds = train(net, drawing(line, pairs["train"], a), round(a.steps * line.longer), a)
        control = net if line == LINES[0] else control
        rmse = judge(net, control, line, pairs["test"], a)
        words = " ".join(f"{value:7.2f}" for value in rmse)
        print(f"{line.name:30} {seconds:6.1f} {words}", flush=True)


if __name__ == "__main__":
    main()
