"""A GPU that is here and not used is said; one that a job reserved and cannot use ends the job."""

import logging

import pytest
import torch

from thinslice.interfaces import Run
from thinslice.runtime import device, gpu_check

LISTED = "GPU 0: NVIDIA A100 (UUID: GPU-1)\nGPU 1: NVIDIA A100 (UUID: GPU-2)\n"


@pytest.fixture(autouse=True)
def outside_slurm(monkeypatch):
    for key in (*gpu_check.RESERVED, gpu_check.ALLOW):
        monkeypatch.delenv(key, raising=False)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)


@pytest.fixture
def two_gpus(monkeypatch, tmp_path):
    """A program nvidia-smi that lists two."""
    program = tmp_path / "nvidia-smi"
    program.write_text(f"#!/bin/sh\n[ \"$1\" = -L ] && printf '{LISTED}'\n".replace("\n'", "\\n'"))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    return tmp_path


@pytest.fixture
def no_gpu(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))


def test_gpus_are_those_that_nvidia_smi_lists(two_gpus):
    assert len(gpu_check.present()) == 2


def test_an_unused_gpu_is_said_with_what_to_do(two_gpus, caplog):
    with caplog.at_level(logging.WARNING), device.job(Run()) as run:
        assert run.device == "cpu"
    assert "2 GPU(s) here and not used" in caplog.text
    assert "torch.md" in caplog.text


def test_nothing_is_said_where_there_is_none_or_the_cpu_is_asked_for(no_gpu, caplog):
    with device.job(Run()) as run:
        assert run.device == "cpu"
    assert caplog.text == ""


def test_who_asks_for_the_cpu_hears_nothing_of_gpus(two_gpus, monkeypatch, caplog):
    monkeypatch.setenv("SLURM_JOB_GPUS", "0")
    with device.job(Run(device="cpu", reserved_gpus=1)):
        assert caplog.text == ""


def test_a_job_that_cannot_use_what_it_reserved_fails(no_gpu):
    with (
        pytest.raises(
            gpu_check.UnusableGpuError, match=r"reserved 2 GPU.* cannot use them.*device: cpu"
        ),
        device.group(Run(reserved_gpus=2), 2),
    ):
        pass


@pytest.mark.parametrize("key", gpu_check.RESERVED)
def test_slurm_s_own_reservation_counts(key, no_gpu, monkeypatch):
    monkeypatch.setenv(key, "0,3")
    with pytest.raises(gpu_check.UnusableGpuError, match="reserved 2"), device.job(Run()):
        pass


def test_an_operator_may_allow_it_and_is_warned(no_gpu, monkeypatch, caplog):
    monkeypatch.setenv(gpu_check.ALLOW, "allow")
    with device.job(Run(reserved_gpus=1)) as run:
        assert run.device == "cpu"
    assert "reserved 1 GPU" in caplog.text


def test_a_gpu_that_is_used_is_not_asked_about(monkeypatch, two_gpus):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert gpu_check.check(2) is None
    assert gpu_check.unused() is None


@pytest.mark.parametrize(
    ("cuda", "says"), [(None, "is the CPU build"), ("13.0", "CUDA 13.0 build.*finds no GPU")]
)
def test_the_reason_is_the_build_or_the_driver(cuda, says, no_gpu, monkeypatch):
    monkeypatch.setattr(torch.version, "cuda", cuda)
    with pytest.raises(gpu_check.UnusableGpuError, match=says):
        gpu_check.check(1)
