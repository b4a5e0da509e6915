"""Measure restoring and training on a GPU, in at most 8 minutes; refuses without one.

    python benchmarks/gpu.py
    python benchmarks/gpu.py --device cpu --tiny        what the test runs: a few voxels, no GPU

Restores 512 x 512 x 300 from 60 thick slices by TVSRN, ACVTT and the plane U-Net in float32, in
bf16 (``restore_precision``, where a method has it), and compiled with CUDA graphs; trains SR4ZCT on
one scan and restores it; runs two restorings on one GPU at once. Networks have random weights. Each
task is a process of its own; one that runs out of time, or fails, is a row that says so. Output is
compared with the CPU's, of a smaller scan in float32: TOLERANCE_HU, the largest difference, for
each precision.
"""

import argparse
import importlib
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from thinslice import plugins
from thinslice.interfaces import Run
from thinslice.volume import Grid, Volume

MINUTES = 8.0
TOLERANCE_HU = {"fp32": 2.0, "bf16": 40.0, "compiled": 2.0}
WHOLE, SMALL, TINY = (60, 512, 512), (12, 128, 128), (6, 48, 48)  # thick slices, rows, columns
FACTOR = 5


@dataclass(frozen=True)
class Task:
    """What one process measures."""

    module: str  # of a method
    precision: str  # of TOLERANCE_HU
    settings: dict[str, Any]
    trains: bool = False  # on the scan itself, so that there is nothing to compare


NETWORKS = {"TVSRN": "tvsrn", "ACVTT": "acvtt", "plane U-Net": "plane_unet"}
ROUNDED = ("acvtt", "plane_unet")  # those with a ``restore_precision``
SETTINGS: dict[str, dict[str, Any]] = {"tvsrn": {"factor": FACTOR}}
TASKS = {
    f"{name}, {precision}": Task(module, precision, SETTINGS.get(module, {}))
    for precision in TOLERANCE_HU
    for name, module in NETWORKS.items()
    if precision != "bf16" or module in ROUNDED
}
TASKS["SR4ZCT, trained on the scan"] = Task("sr4zct", "fp32", {}, trains=True)
TWICE = "TVSRN, fp32"  # of which two run at once


def scan(zyx: tuple[int, int, int]) -> tuple[Volume, Grid]:
    """A thick scan of smooth noise, and the grid it is to be restored on."""
    n, rows, columns = zyx
    thick = Grid(n, float(FACTOR), float(FACTOR), (rows, columns), (0.7, 0.7))
    noise = np.random.default_rng(0).normal(0, 300, zyx).astype(np.float32)
    noise = (noise + np.roll(noise, 1, 1) + np.roll(noise, 1, 2)) / 2
    grid = thick.with_slices(
        n=FACTOR * (n - 1) + 1, increment_mm=1.0, thickness_mm=1.0, start_mm=thick.start_mm
    )
    return Volume(noise, thick), grid


def method_of(task: Task, tiny: bool) -> Any:
    """The method with a network of random weights, large enough that every part matters."""
    settings = dict(task.settings)
    if task.precision == "bf16":
        settings["restore_precision"] = "bf16"
    if tiny:
        module = importlib.import_module(f"thinslice.methods.{task.module}")
        settings = {**module.TINY, **settings}
    method = plugins.build(
        "methods", {"name": task.module, "module": task.module, "settings": settings}
    )
    if not task.trains:
        torch.manual_seed(0)
        method.net = method._network()
        for weight in method.net.parameters():
            if weight.ndim > 1:
                torch.nn.init.normal_(weight, std=0.5 * weight[0].numel() ** -0.5)
    return method


def restored(method: Any, zyx: tuple[int, int, int], device: str) -> np.ndarray:
    """Voxels restored on a device."""
    thick, grid = scan(zyx)
    with tempfile.TemporaryDirectory() as work:
        run = Run(device=device, progress=False, work=Path(work))
        return method.restore(thick, grid, run=run).voxels


def measure(name: str, device: str, tiny: bool) -> dict[str, Any]:
    """Seconds of the first and second restoring, memory, and the difference to the CPU's."""
    task = TASKS[name]
    method, zyx = method_of(task, tiny), TINY if tiny else WHOLE
    difference_hu = None
    if not task.trains:
        small = TINY if tiny else SMALL
        plain = method_of(replace(task, precision="fp32"), tiny)
        expected = restored(plain, small, "cpu")
        if task.precision == "compiled" and device != "cpu":
            method.net = torch.compile(method.net.to(device), mode="reduce-overhead")
        there = restored(method, small, device)
        difference_hu = float(np.abs(there - expected).max())
    seconds = []
    for _ in range(1 if task.trains else 2):
        began = time.perf_counter()
        restored(method, zyx, device)
        seconds.append(round(time.perf_counter() - began, 2))
    cuda = device != "cpu"
    return {
        "seconds": seconds,
        "gpu_gib": round(torch.cuda.max_memory_allocated() / 2**30, 2) if cuda else None,
        "difference_hu": difference_hu,
    }


def started(name: str, args: argparse.Namespace) -> subprocess.Popen:
    """A process that measures one task."""
    command = [sys.executable, __file__, "--task", name, "--device", args.device]
    command += ["--tiny"] if args.tiny else []
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finished(process: subprocess.Popen, seconds: float) -> dict[str, Any]:
    """What a process measured, or why it did not."""
    try:
        out, errors = process.communicate(timeout=max(1.0, seconds))
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return {"failed": "out of time"}
    if process.returncode:
        last = errors.strip().splitlines()[-1:] or [f"exit status {process.returncode}"]
        return {"failed": last[0][:100].replace("|", "/")}
    return json.loads(out.splitlines()[-1])


def row(name: str, result: dict[str, Any]) -> str:
    """A row of the table."""
    if "failed" in result:
        return f"| {name} | {result['failed']} | | | |"
    first, *again = result["seconds"]
    difference, within = result["difference_hu"], ""
    if difference is not None:
        most = TOLERANCE_HU[TASKS[name].precision] if name in TASKS else TOLERANCE_HU["fp32"]
        within = f"{difference:.3g} HU, {'within' if difference <= most else 'BEYOND'} {most:g}"
    memory = "" if result["gpu_gib"] is None else f"{result['gpu_gib']} GiB"
    return f"| {name} | {first} s | {again[0] if again else ''} | {memory} | {within} |"


def main() -> None:
    """Print one row a task as it ends."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--tiny", action="store_true", help="a few voxels, tiny networks")
    parser.add_argument("--minutes", type=float, default=MINUTES, help="for all tasks together")
    parser.add_argument("--task", choices=TASKS, help="measure this one alone, as JSON")
    args = parser.parse_args()
    if args.device != "cpu" and not torch.cuda.is_available():
        sys.exit(
            "this benchmark needs a GPU that torch can use: none is here (--device cpu --tiny)"
        )
    if args.task:
        print(json.dumps(measure(args.task, args.device, args.tiny)))
        return
    end = time.monotonic() + 60 * args.minutes
    where = torch.cuda.get_device_name() if args.device != "cpu" else "CPU"
    print(f"{where}, torch {torch.__version__}, random weights")
    print("| task | first run | second | GPU memory | difference to the CPU |")
    print("|---|---:|---:|---:|---|")
    for name in TASKS:
        print(row(name, finished(started(name, args), end - time.monotonic())), flush=True)
    both = [started(TWICE, args) for _ in range(2)]
    for process in both:
        result = finished(process, end - time.monotonic())
        print(row(f"{TWICE}, one of two at once", result), flush=True)


if __name__ == "__main__":
    main()
