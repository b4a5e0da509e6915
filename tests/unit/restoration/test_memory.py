"""A whole restoration stays under the memory cap, by the operating system's own count.

A quarter of a scan of 512 x 512 x 800 slices gets its share of 6 GiB: what a process takes before
it holds any scan is left out of the sharing. The two methods are those that hold most at once: five
thin volumes and two networks, and slices as far apart as fine pixels. Writing and the report of
trust are part of it. Networks are tiny: their tiles would shrink to the room that is left.
"""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from thinslice.io import files
from thinslice.volume import Grid, Volume

FULL_GIB, FULL_VOXELS = 6.0, 512 * 512 * 800
SLICES, SIDE = 159, 250  # 795 thin slices: neither they nor 250 pixels are whole tokens
CHILD = """
import json, sys
from thinslice.restoration import output, restore; from thinslice import plugins, read
from thinslice.interfaces import Run
scan, out, card, cap = sys.argv[1], sys.argv[2], json.loads(sys.argv[3]), float(sys.argv[4])
planned = restore.plan(read(scan), method="cubic")
method = plugins.build("methods", card)
chosen = planned.chosen._replace(card=card, method=method, fit="volume")
run = Run("cpu", threads=1, max_memory_gib=cap, progress=False)
output.write(restore.carry_out(planned._replace(chosen=chosen), run), out)
"""
IDLE = "import torch, scipy.sparse, matplotlib.pyplot, thinslice.restoration.output"
FEW = {"steps": 2, "crop": 32, "depth": 3}
SMALL = {"channels": 2, "levels": 2, "references": 1}
HEAVIEST = {
    "two views and their fusion": (0.7, {"name": "acvtt", "settings": SMALL}, "new"),
    "fine pixels": (0.5, {"name": "sr4zct", "settings": FEW}, "new.nii"),
}


def peak_gib(*arguments: str) -> float:
    """Most memory that a Python of its own held; it must end well."""
    child = subprocess.Popen([sys.executable, "-c", *arguments])
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    assert child.returncode == 0
    return used.ru_maxrss / (2**30 if sys.platform == "darwin" else 2**20)


@pytest.mark.slow
@pytest.mark.timeout(1200)  # 80 s of one idle core, of which shared ones make many times that
@pytest.mark.parametrize("heaviest", HEAVIEST)
def test_the_operating_system_counts_no_more_than_the_cap(heaviest, tmp_path):
    pixel_mm, card, out = HEAVIEST[heaviest]
    grid = Grid(SLICES, 5.0, 5.0, (SIDE, SIDE), (pixel_mm, pixel_mm))
    noise = np.random.default_rng(0).normal(0, 100, grid.zyx).astype(np.float32)
    scan = tmp_path / "thick.nii"
    files.write(Volume(noise, grid), scan)
    idle = peak_gib(IDLE)
    share = SLICES * 5 * SIDE**2 / FULL_VOXELS
    cap = idle + (FULL_GIB - idle) * share
    used = peak_gib(CHILD, str(scan), str(tmp_path / out), json.dumps(card), str(cap))
    print(f"{heaviest}: {used:.2f} of {cap:.2f} GiB, {idle:.2f} of them idle")
    assert used <= cap
    assert used > idle + 2 * SLICES * 5 * SIDE**2 * 4 / 2**30  # more than two volumes: it ran
