"""Measure time and memory of the MS-D network against plain PyTorch: one step and one plane.

    python benchmarks/msd_speed.py --depth 100 --batch 1 --side 256 --threads 2

The baseline is the same network and weights, written as in the paper: for every layer one
``conv2d`` over ``torch.cat`` of all maps before it, borders mirrored first. Every measurement runs
in its own process; memory is its peak resident size less that with the network and its input ready.
On a shared machine, trust the CPU seconds.
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
from torch import Tensor, nn
from torch.nn.functional import conv2d, mse_loss, relu

from thinslice.nets.msd import MSD

TASKS = ("restore", "train")
KINDS = ("concatenated", "one_buffer")


class Concatenated(nn.Module):
    """MS-D network that concatenates its maps, layer by layer."""

    def __init__(self, net: MSD):
        super().__init__()
        self.net = net

    def forward(self, x_B1HW: Tensor) -> Tensor:
        net, maps_BMHW = self.net, x_B1HW
        width = net.shape.width
        for i, kernel in enumerate(net.shape.split(net.taps)):
            dilation = i % net.shape.dilations + 1
            weight = kernel.view(width, 3, 3, -1).permute(0, 3, 1, 2)
            bias = net.bias[i * width : (i + 1) * width]
            new_BMHW = conv2d(mirrored(maps_BMHW, dilation), weight, bias, dilation=dilation)
            maps_BMHW = torch.cat([maps_BMHW, relu(new_BMHW)], 1)
        return conv2d(maps_BMHW, net.last[None, :, None, None], net.last_bias)


def mirrored(x_BMHW: Tensor, border: int) -> Tensor:
    """Pad with half-sample symmetric borders, edge repeated."""
    for axis in (2, 3):
        low = x_BMHW.narrow(axis, 0, border).flip(axis)
        high = x_BMHW.narrow(axis, x_BMHW.shape[axis] - border, border).flip(axis)
        x_BMHW = torch.cat([low, x_BMHW, high], axis)
    return x_BMHW


def network(kind: str, depth: int) -> nn.Module:
    """Network of a kind with fixed weights, in which every part matters."""
    torch.manual_seed(0)
    net = MSD(depth)
    nn.init.normal_(net.last, std=depth**-0.5)
    return Concatenated(net) if kind == "concatenated" else net


def peak_mib() -> float:
    """Peak resident memory of this process."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def run(net: nn.Module, task: str, x_B1HW: Tensor) -> list[Tensor]:
    """Output of the network; for training also the gradients of one step."""
    if task == "restore":
        with torch.inference_mode():
            return [net(x_B1HW)]
    y_B1HW, parts = net(x_B1HW), list(net.parameters())
    return [y_B1HW.detach(), *torch.autograd.grad(mse_loss(y_B1HW, x_B1HW), parts)]


def measure(task: str, kind: str, a: argparse.Namespace, out: Path) -> dict:
    """Run once on a small image to warm up, then once in full and timed."""
    torch.set_num_threads(a.threads)
    net = network(kind, a.depth)
    x_B1HW = torch.rand(a.batch, 1, a.side, a.side, generator=torch.Generator().manual_seed(1))
    run(net, task, x_B1HW[..., :32, :32].contiguous())
    before, wall, cpu = peak_mib(), time.perf_counter(), time.process_time()
    output = run(net, task, x_B1HW)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    torch.save(output, out)
    return {"kind": kind, "wall_s": wall, "cpu_s": cpu, "mib": peak_mib() - before}


def in_subprocess(task: str, kind: str, a: argparse.Namespace, out: Path) -> dict:
    """Run ``measure`` in its own process."""
    sizes = [f"--{name}={getattr(a, name)}" for name in ("depth", "batch", "side", "threads")]
    command = [sys.executable, __file__, *sizes, "--only", task, kind, str(out)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{kind} {task} failed with {done.returncode}: {done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def compare(a: argparse.Namespace) -> None:
    """Print a table of both kinds for both tasks."""
    size = f"{a.batch} x {a.side} x {a.side}"
    print(f"MSD of {a.depth} layers, {size}, {a.threads} threads, {platform.processor()}")
    print(f"{'task':8} {'kind':13} {'wall s':>8} {'CPU s':>8} {'MiB':>8}")
    with tempfile.TemporaryDirectory() as folder:
        for task in TASKS:
            paths = [Path(folder) / f"{task}-{kind}.pt" for kind in KINDS]
            plain, ours = (in_subprocess(task, kind, a, path) for kind, path in zip(KINDS, paths))
            ratio = {k: plain[k] / ours[k] for k in ("wall_s", "cpu_s", "mib")}
            for r in (plain, ours, {"kind": "ratio", **ratio}):
                print(
                    f"{task:8} {r['kind']:13} {r['wall_s']:8.2f} {r['cpu_s']:8.2f} {r['mib']:8.1f}"
                )
            outputs = [torch.load(path, weights_only=True) for path in paths]
            differences = [float((p - q).abs().max() / p.abs().max()) for p, q in zip(*outputs)]
            worst = max(differences)
            print(f"         largest difference, relative to the largest value: {worst:.1e}")


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--depth", type=int, default=100, help="layers")
    p.add_argument("--batch", type=int, default=1, help="images")
    p.add_argument("--side", type=int, default=256, help="pixels along both axes")
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--only", nargs=3, metavar=("TASK", "KIND", "OUT"), help=argparse.SUPPRESS)
    a = p.parse_args()
    if a.only:
        task, kind, out = a.only
        print(json.dumps(measure(task, kind, a, Path(out))))
    else:
        compare(a)


if __name__ == "__main__":
    main()
