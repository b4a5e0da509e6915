"""Measure time and memory of TVSRN against plain PyTorch: one training step and one pass.

    python benchmarks/tvsrn_speed.py --side 256 --threads 2

The network is the released one, 4 x side x side thick voxels. The baseline is the same network and
weights with blocks as its authors structured them (``plain_swin.py``). Every measurement runs in
its own process; memory is its peak resident size less that with the network and its input ready. On
a shared machine, trust the CPU seconds, of the program (user) and of the system apart. Training is
measured a second time with room to keep what is else computed again (``nets.kept``).
"""

import argparse
import json
import platform
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch
from plain_swin import make_plain
from torch.nn.functional import l1_loss

from thinslice.nets.kept import Keeps, Room
from thinslice.nets.tvsrn_released import TVSRNReleased

TASKS = {"restore": ("plain", "windowed"), "train": ("plain", "windowed", "keeping")}
ROOM = Room(1 << 40)  # for all that a network would keep


def network(kind: str) -> torch.nn.Module:
    """The released network with fixed weights, large enough that every part matters."""
    torch.manual_seed(0)
    net = TVSRNReleased()
    for p in net.parameters():
        if p.ndim > 1:
            torch.nn.init.normal_(p, std=p[0].numel() ** -0.5)
    for module in net.modules():
        if isinstance(module, Keeps) and kind == "keeping":
            module.room = ROOM
    return make_plain(net) if kind == "plain" else net


def peak_mib() -> float:
    """Peak resident memory of this process."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(task: str, kind: str, side: int, threads: int, out: Path) -> dict:
    """Time one task once, after a warm-up on a small cube."""
    torch.set_num_threads(threads)
    net = network(kind).eval()  # no drop path: both kinds compute the same
    generator = torch.Generator().manual_seed(1)
    thick = torch.rand(1, 1, 4, side, side, generator=generator)
    thin = torch.rand(1, 1, 10, side, side, generator=generator)
    run(net, task, thick[..., :32, :32], thin[..., :32, :32])
    before, wall, start = peak_mib(), time.perf_counter(), cpu_seconds()
    outputs = run(net, task, thick, thin)
    wall = time.perf_counter() - wall
    user, system = (now - then for now, then in zip(cpu_seconds(), start))
    mib = peak_mib() - before
    torch.save(outputs, out)
    return {"kind": kind, "wall_s": wall, "user_s": user, "system_s": system, "mib": mib}


def cpu_seconds() -> tuple[float, float]:
    """Seconds of this process so far, of the program and of the system."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime, usage.ru_stime


def run(
    net: torch.nn.Module, task: str, thick: torch.Tensor, thin: torch.Tensor
) -> dict[str, torch.Tensor]:
    """The restored slices; for training also the gradients of one step."""
    if task == "restore":
        with torch.inference_mode():
            return {"restored": net(thick)}
    net.zero_grad(set_to_none=True)
    restored = net(thick)
    l1_loss(restored, thin).backward()
    gradients = {n: p.grad for n, p in net.named_parameters() if p.grad is not None}
    return {"restored": restored.detach(), **gradients}


def in_subprocess(task: str, kind: str, side: int, threads: int, out: Path) -> dict:
    """Run ``measure`` in its own process."""
    flags = [f"--side={side}", f"--threads={threads}", "--only", task, kind, str(out)]
    command = [sys.executable, __file__, *flags]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{kind} {task} failed with {done.returncode}: {done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def difference(path: Path, reference: Path) -> tuple[float, float]:
    """Largest absolute difference of slices, and of gradients relative to their largest value."""
    a, b = (torch.load(path, weights_only=True) for path in (path, reference))
    restored = float((a.pop("restored") - b.pop("restored")).abs().max())
    gradients = [float((a[n] - b[n]).abs().max() / b[n].abs().max().clamp_min(1e-30)) for n in b]
    return restored, max(gradients, default=0.0)


def compare(side: int, threads: int) -> None:
    """Print a table of all kinds for both tasks, and how much better each is than the first."""
    print(f"TVSRN as released, 4 x {side} x {side}, {threads} threads, {platform.processor()}")
    print(f"{'task':8} {'kind':9} {'wall s':>8} {'user s':>8} {'sys s':>8} {'MiB':>8}")
    with tempfile.TemporaryDirectory() as folder:
        for task, kinds in TASKS.items():
            paths = {kind: Path(folder) / f"{task}-{kind}.pt" for kind in kinds}
            plain, *rows = [in_subprocess(task, kind, side, threads, paths[kind]) for kind in kinds]
            print(line(task, plain))
            for row in rows:
                print(line(task, row))
                print(line("", {"kind": "ratio"} | {k: plain[k] / row[k] for k in NUMBERS}))
                restored, gradients = difference(paths[row["kind"]], paths["plain"])
                print(f"{'':8} largest difference: {restored:.1e} of slices", end="")
                print(f", {gradients:.1e} of gradients (relative)" if task == "train" else "")


NUMBERS = ("wall_s", "user_s", "system_s", "mib")


def line(task: str, row: dict) -> str:
    """A row of the table."""
    return f"{task:8} {row['kind']:9}" + "".join(f" {row[k]:8.2f}" for k in NUMBERS)


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--side", type=int, default=256, help="pixels along y and x")
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--only", nargs=3, metavar=("TASK", "KIND", "OUT"), help=argparse.SUPPRESS)
    a = p.parse_args()
    if a.only:
        task, kind, out = a.only
        print(json.dumps(measure(task, kind, a.side, a.threads, Path(out))))
    else:
        compare(a.side, a.threads)


if __name__ == "__main__":
    main()
