"""Measure what a whole scan of 512 x 512 takes: TVSRN as published, and ``thinslice restore``.

    python benchmarks/whole_scan_speed.py [--side 512] [--slices 60]

TVSRN is run on one window of four thick slices, and its seconds are reckoned for all windows of a
scan of 60 thick slices; also by OpenVINO, in float32 and bfloat16, where it is installed, with what
a restoring then computes by torch too, to compare: the first window, the middle of a few others.
``thinslice restore`` runs whole, in a process of its own: by the default
method, whose weights are in the package, and by ``sr4zct_small``, which learns from the scan
first. Weights of TVSRN are random. CPU seconds of one thread, user and system apart.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import nibabel as nib
import numpy as np
import torch
from measuring import Seconds, cpu_seconds, reached
from scipy import ndimage

from thinslice.families.rounding import Differences, middle
from thinslice.inference.cubes import CubeTiles, default_starts
from thinslice.inference.openvino_blocks import by_openvino
from thinslice.methods import tvsrn
from thinslice.nets.tvsrn import TVSRN, Sizes
from thinslice.runtime import heap
from thinslice.training.precision import cpu_has_bf16

TVSRN_AIM = "TVSRN as published, 300 slices of 512 x 512"
METHODS = {"default restore": [], "restore by sr4zct_small": ["--method", "sr4zct_small"]}


class Window(NamedTuple):
    """Seconds of one window of four thick slices, and of its middle, which is compared."""

    whole: Seconds
    middle: Seconds


def tvsrn_windows(side: int) -> dict[str, Window]:
    """One window by TVSRN as published, by every engine that is here."""
    torch.set_num_threads(1)
    heap.keep()
    torch.manual_seed(0)
    net = TVSRN(replace(tvsrn.Settings().sizes(Sizes), factor=5)).eval()
    ways: dict[str, torch.nn.Module] = {"torch": net}
    if find_spec("openvino"):
        ways["OpenVINO"] = by_openvino(net, 1)
        if cpu_has_bf16():
            ways["OpenVINO, bf16"] = by_openvino(net, 1, bf16=True)
    x_B1ZYX = torch.rand(1, 1, 4, side, side)
    seconds = {}
    with torch.inference_mode():
        for name, way in ways.items():
            way(x_B1ZYX[..., :64, :64])
            parts = (cpu_seconds(partial(way, x))[0] for x in (x_B1ZYX, middle(x_B1ZYX)))
            seconds[name] = Window(*parts)
    return seconds


def windows_of(slices: int) -> int:
    """Windows of four thick slices, three apart, that cover a scan and its continued ends."""
    return len(default_starts(CubeTiles(depth=4, factor=5), slices, ends=1))


def whole_scan(way: str, seconds: dict[str, Window], windows: int) -> Seconds:
    """All windows of a scan; by another engine also what is compared with torch (``ByEngine``)."""
    alone = seconds[way].whole.times(windows)
    if way == "torch":
        return alone
    due = Differences(1.0, way).due
    later = sum(due() for _ in range(windows)) - 1
    middles = seconds[way].middle.plus(seconds["torch"].middle).times(later)
    return alone.plus(seconds["torch"].whole).plus(middles)


def write_scan(path: Path, slices: int, side: int) -> None:
    """A CT-like scan of thick slices, 5 mm apart: smooth tissue and 20 HU of noise."""
    rng = np.random.default_rng(0)
    coarse = rng.normal(-300, 500, (6, 16, 16)).astype(np.float32)
    zoom = np.divide((slices, side, side), coarse.shape)
    hu = ndimage.zoom(coarse, zoom, order=1, grid_mode=True, mode="nearest")
    hu += 20 * rng.standard_normal(hu.shape, np.float32)
    whole = np.clip(np.rint(hu), -1024, 3071).astype(np.int16)
    nib.save(nib.Nifti1Image(whole.T, np.diag([0.7, 0.7, 5, 1])), path)


def restoring(scan: Path, out: Path, options: list[str]) -> Seconds:
    """A whole ``thinslice restore`` in one thread."""
    command = [sys.executable, "-m", "thinslice", "restore", str(scan), str(out)]
    command += [*options, "--declared-thickness", "5", "--threads", "1", "--quiet"]
    before = os.times()
    subprocess.run(command, check=True)
    after = os.times()
    return Seconds(
        after.children_user - before.children_user, after.children_system - before.children_system
    )


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--side", type=int, default=512, help="pixels along y and x")
    p.add_argument("--slices", type=int, default=60, help="thick slices, 5 mm apart")
    a = p.parse_args()
    size = f"{a.slices} thick slices of {a.side} x {a.side}"
    print(f"| {size}, 1 thread | user, s | system |\n|---|---:|---:|")
    windows = windows_of(a.slices)
    rows = {}
    by_way = tvsrn_windows(a.side)
    for way in by_way:
        seconds = whole_scan(way, by_way, windows)
        rows[f"TVSRN as published, {windows} windows by {way}"] = seconds
        reached(f"{TVSRN_AIM}, by {way}", seconds.user, " s")
    with tempfile.TemporaryDirectory() as folder:
        scan = Path(folder) / "thick.nii.gz"
        write_scan(scan, a.slices, a.side)
        for n, (name, options) in enumerate(METHODS.items()):
            rows[name] = restoring(scan, Path(folder) / f"{n}.nii.gz", options)
            reached(f"{name}, 60 slices of 512 x 512", rows[name].total, " s")
    for name, seconds in rows.items():
        print(f"| {name} | {seconds.user:.0f} | {seconds.system:.0f} |", flush=True)


if __name__ == "__main__":
    main()
