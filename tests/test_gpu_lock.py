"""Jobs that run at once never hold the same GPU; pretend devices, real processes."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from thinslice.drivers import device, gpu_lock

HOLD = """
import sys, time
from pathlib import Path
from thinslice.drivers.gpu_lock import claim
with claim(sys.argv[2].split(","), Path(sys.argv[1])) as index:
    print(index, flush=True)
    time.sleep(60)
"""


def holder(folder: Path, names: str = "0,1") -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder), names], stdout=subprocess.PIPE, text=True
    )


def first_line(process: subprocess.Popen) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def end(process: subprocess.Popen) -> None:
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert process.stdout is not None
    process.stdout.close()


def test_jobs_at_once_get_distinct_devices_and_a_killed_one_gives_its_own_back(tmp_path):
    jobs = [holder(tmp_path), holder(tmp_path)]
    try:
        held = [first_line(job) for job in jobs]
        assert sorted(held) == ["0", "1"]
        with (
            pytest.raises(TimeoutError, match="stayed taken"),
            gpu_lock.claim(["0", "1"], tmp_path, patience_s=0.3),
        ):
            pass
        end(jobs[0])
        with gpu_lock.claim(["0", "1"], tmp_path, patience_s=5) as index:
            assert str(index) == held[0]
    finally:
        for job in jobs:
            if job.poll() is None:
                end(job)


def test_a_device_is_free_again_after_its_job_even_if_it_failed(tmp_path):
    with pytest.raises(KeyError), gpu_lock.claim(["7"], tmp_path):
        raise KeyError("a job's own error")
    with gpu_lock.claim(["7"], tmp_path, patience_s=0.1) as index:
        assert index == 0


def test_waits_until_a_device_is_given_back(tmp_path):
    job = holder(tmp_path, "0")
    try:
        assert first_line(job) == "0"
        begun = time.monotonic()
        subprocess.Popen(["sh", "-c", f"sleep 0.5; kill -9 {job.pid}"]).wait()
        with gpu_lock.claim(["0"], tmp_path, patience_s=10) as index:
            assert index == 0
        assert time.monotonic() - begun >= 0.5
    finally:
        end(job)


def test_no_device_is_refused(tmp_path):
    with pytest.raises(ValueError, match="no GPU"), gpu_lock.claim([], tmp_path):
        pass


@pytest.mark.parametrize(
    ("listed", "count", "names"),
    [(None, 2, ["0", "1"]), ("3,5", 2, ["3", "5"]), ("GPU-ab,GPU-cd", 2, ["GPU-ab", "GPU-cd"])],
)
def test_only_the_devices_a_job_may_see_are_claimed(listed, count, names):
    environ = {} if listed is None else {"CUDA_VISIBLE_DEVICES": listed}
    assert device.visible(count, environ) == names


def test_jobs_of_a_scheduler_do_not_wait_for_one_another():
    """Slurm may show each of two jobs its own GPU under the same number."""
    one, other = ({"SLURM_JOB_ID": i, "CUDA_VISIBLE_DEVICES": "0"} for i in ("41", "42"))
    assert device.lock_folder(one) != device.lock_folder(other)
    assert device.lock_folder({}) == device.lock_folder({})


def test_a_job_is_given_a_gpu_of_its_own(monkeypatch, tmp_path):
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
    monkeypatch.setattr(device, "lock_folder", lambda environ: tmp_path)
    with device.job(device.Run()) as one, device.job(device.Run(device="cuda")) as other:
        assert (one.device, other.device) == ("cuda:0", "cuda:1")
    with device.job(device.Run(device="cuda:1")) as chosen:
        assert chosen.device == "cuda:1"
