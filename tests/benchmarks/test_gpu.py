"""The GPU benchmark runs without one on a few voxels, and refuses in one line otherwise."""

import subprocess
import sys

import pytest
import torch

from benchmarks import gpu
from support.paths import BENCHMARKS

SCRIPT = str(BENCHMARKS / "gpu.py")


@pytest.mark.parametrize("name", ["plane U-Net, fp32", "TVSRN, compiled"])
def test_a_task_is_measured_on_a_few_voxels(name):
    result = gpu.measure(name, "cpu", tiny=True)
    precision = gpu.TASKS[name].precision
    assert len(result["seconds"]) == 2
    assert result["difference_hu"] <= gpu.TOLERANCE_HU[precision]
    assert "within" in gpu.row(name, result)


@pytest.mark.parametrize("name", gpu.TASKS)
def test_every_task_is_of_a_method_with_its_settings(name):
    assert gpu.method_of(gpu.TASKS[name], tiny=True)


def test_what_failed_or_differs_too_much_is_a_row_that_says_so():
    assert "out of time" in gpu.row("TVSRN, fp32", {"failed": "out of time"})
    result = {"seconds": [1.0], "gpu_gib": 2.0, "difference_hu": 3.0}
    assert "BEYOND 2" in gpu.row("TVSRN, fp32", result)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_it_refuses_in_one_line():
    done = subprocess.run([sys.executable, SCRIPT], capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    assert done.stderr.startswith("this benchmark needs a GPU")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.slow
def test_every_task_runs_tiny():
    command = [sys.executable, SCRIPT, "--device", "cpu", "--tiny"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=900, check=True)
    rows = [line for line in done.stdout.splitlines() if line.startswith("| ")][1:]
    assert len(rows) == len(gpu.TASKS) + 2
    without = [row for row in rows if " s |" not in row and "bf16" not in row]
    assert without == [], done.stdout
