"""A training fails if torch cannot use the GPU it reserved, and runs where the config says cpu."""

import os

import pytest
import torch

from support.checkout import fresh

WEIGHTS = "results/weights/edsr_small/phantom--acquired.pt"
LOG = "results/logs/train/edsr_small/phantom--acquired.log"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(torch.cuda.is_available(), reason="torch uses the GPU that is here"),
]


def test_the_job_fails_and_device_cpu_reserves_none(tmp_path, monkeypatch):
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\necho 'GPU 0: NVIDIA A100 (UUID: GPU-1)'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    checkout = fresh(tmp_path / "thinslice")
    done = checkout.run("--resources", "gpu=1", "--", WEIGHTS, check=False)
    assert done.returncode != 0
    log = (checkout.folder / LOG).read_text()
    assert "this job reserved 1 GPU(s) and cannot use them" in log
    assert "device: cpu" in log
    assert "Traceback" not in log
    assert not (checkout.folder / WEIGHTS).exists()
    checkout.run("--config", "device=cpu", "--", WEIGHTS)
    assert (checkout.folder / WEIGHTS).is_file()
