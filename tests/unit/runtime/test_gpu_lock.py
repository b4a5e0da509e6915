"""Jobs that run at once never hold the same GPU; pretend devices, real processes."""

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from thinslice.runtime import device, gpu_lock

HOLD = """
import sys, time
from pathlib import Path
from thinslice.runtime.gpu_lock import claim
with claim(sys.argv[2].split(","), Path(sys.argv[1]), int(sys.argv[3])) as held:
    print(*held, flush=True)
    time.sleep(60)
"""


def holder(folder: Path, names: str = "0,1", count: int = 1) -> subprocess.Popen:
    command = [sys.executable, "-c", HOLD, str(folder), names, str(count)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def first_line(process: subprocess.Popen) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def end(process: subprocess.Popen) -> None:
    process.kill()
    process.wait()
    assert process.stdout is not None
    process.stdout.close()


def test_jobs_at_once_get_distinct_devices_and_a_killed_one_gives_its_own_back(tmp_path):
    jobs = [holder(tmp_path), holder(tmp_path)]
    try:
        held = [first_line(job) for job in jobs]
        assert sorted(held) == ["0", "1"]
        with (
            pytest.raises(TimeoutError, match="in use by other jobs"),
            gpu_lock.claim(["0", "1"], tmp_path, patience_s=0.3),
        ):
            pass
        end(jobs[0])
        with gpu_lock.claim(["0", "1"], tmp_path, patience_s=5) as (index,):
            assert str(index) == held[0]
    finally:
        for job in jobs:
            if job.poll() is None:
                end(job)


def test_a_device_is_free_again_after_its_job_even_if_it_failed(tmp_path):
    with pytest.raises(KeyError), gpu_lock.claim(["7"], tmp_path):
        raise KeyError("a job's own error")
    with gpu_lock.claim(["7"], tmp_path, patience_s=0.1) as held:
        assert held == [0]


def test_waits_until_a_device_is_given_back(tmp_path):
    job = holder(tmp_path, "0")
    try:
        assert first_line(job) == "0"
        begun = time.monotonic()
        with ThreadPoolExecutor() as later:
            later.submit(lambda: (time.sleep(0.5), job.kill()))
            with gpu_lock.claim(["0"], tmp_path, patience_s=10) as held:
                assert held == [0]
                assert time.monotonic() - begun >= 0.5, "not before its holder was gone"
    finally:
        end(job)


@pytest.mark.parametrize(("names", "count"), [([], 1), (["0"], 2), (["0", "1"], 0)])
def test_more_devices_than_there_are_and_none_at_all_are_refused(names, count, tmp_path):
    with pytest.raises(ValueError, match="GPUs to claim"), gpu_lock.claim(names, tmp_path, count):
        pass


def test_a_killed_holder_of_two_gives_both_back(tmp_path):
    job = holder(tmp_path, "0,1,2", 2)
    try:
        assert first_line(job) == "0 1"
        with (
            pytest.raises(TimeoutError, match="in use by other jobs"),
            gpu_lock.claim(["0", "1", "2"], tmp_path, 2, patience_s=0.3),
        ):
            pass
        with gpu_lock.claim(["0", "1", "2"], tmp_path, patience_s=0) as held:
            assert held == [2], "the one that was tried for is free again"
    finally:
        end(job)
    with gpu_lock.claim(["0", "1", "2"], tmp_path, 3, patience_s=5) as held:
        assert held == [0, 1, 2]


TURNS = """
import sys, time
from pathlib import Path
from thinslice.runtime.gpu_lock import claim
folder, log = Path(sys.argv[1]), open(sys.argv[2], "a", buffering=1)
for turn in range(6):
    with claim(["0", "1", "2"], folder, 2) as held:
        for device in held:
            log.write(f"take {device}\\n")
        time.sleep(0.01)
        for device in held:
            log.write(f"give {device}\\n")
"""


def test_four_jobs_that_want_two_of_three_devices_never_overlap_and_all_finish(tmp_path):
    """Two pairs of three devices always share one: the jobs take turns."""
    log = tmp_path / "log"
    command = [sys.executable, "-c", TURNS, str(tmp_path / "locks"), str(log)]
    jobs = [subprocess.Popen(command) for _ in range(4)]
    assert [job.wait(timeout=60) for job in jobs] == [0] * 4
    taken: set[str] = set()
    for line in log.read_text().splitlines():
        what, number = line.split()
        assert (number in taken) == (what == "give")
        taken ^= {number}
    assert log.read_text().count("take") == 4 * 6 * 2


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


@pytest.fixture
def two_gpus(monkeypatch, tmp_path):
    """A machine that says it has two."""
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
    monkeypatch.setattr(device, "lock_folder", lambda environ: tmp_path)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)


def test_a_job_is_given_a_gpu_of_its_own(two_gpus):
    with device.job(device.Run()) as one, device.job(device.Run(device="cuda")) as other:
        assert (one.device, other.device) == ("cuda:0", "cuda:1")
    with device.job(device.Run(device="cuda:1")) as chosen:
        assert chosen.device == "cuda:1"


def test_processes_that_train_together_are_given_a_gpu_each(two_gpus):
    asked = device.Run(threads=5)
    with device.group(asked, 2) as runs:
        assert [(run.device, run.rank, run.processes) for run in runs] == [
            ("cuda:0", 0, 2),
            ("cuda:1", 1, 2),
        ]
        assert [(run.threads, run.progress) for run in runs] == [(2, True), (2, False)]
    with device.group(asked, 1) as (alone,), device.job(asked) as other:
        assert (alone.device, other.device) == ("cuda:0", "cuda:1")
        assert (alone.threads, alone.processes) == (5, 1)


@pytest.mark.parametrize(
    ("asked", "count", "listed", "says"),
    [
        ("auto", 3, None, "gpus asks for 3; this job sees 2"),
        ("cuda", 2, "7", r"this job sees 1 \(7\).*CUDA_VISIBLE_DEVICES"),
        ("cuda:1", 2, None, "'cuda:1' is one GPU, gpus asks for 2"),
    ],
)
def test_more_gpus_than_a_job_sees_are_refused(asked, count, listed, says, two_gpus, monkeypatch):
    if listed:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", listed)
        monkeypatch.setattr("torch.cuda.device_count", lambda: len(listed.split(",")))
    run = device.Run(device=asked)
    with pytest.raises(RuntimeError, match=says) as refused, device.group(run, count):
        pass
    assert "\n" not in str(refused.value)


def test_without_a_gpu_the_cpu_is_shared_if_asked_for_by_name_else_one_process_trains(
    monkeypatch, caplog
):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with device.group(device.Run(device="cpu", threads=2), 2) as runs:
        assert [(run.device, run.threads, run.processes) for run in runs] == [("cpu", 1, 2)] * 2
    assert not caplog.text
    with device.group(device.Run(), 2) as runs:
        assert [(run.device, run.processes) for run in runs] == [("cpu", 1)]
    assert "no GPU here" in caplog.text
