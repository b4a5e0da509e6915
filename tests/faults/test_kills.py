"""Killed equals unkilled: after kill -9 the same command goes on, and ends with the same bits."""

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from support.checkout import TORCH, WEIGHTS, fresh, twin
from support.kills import kill_job
from support.same_results import scores


def kill(driver: subprocess.Popen, *, jobs: bool) -> None:
    """kill -9 of the driver; with its jobs, or leaving them behind as orphans."""
    if jobs:
        os.killpg(driver.pid, signal.SIGKILL)
    else:
        driver.kill()
    driver.wait()


def wait_for(path: Path, driver: subprocess.Popen) -> None:
    """Until ``path`` is there; it must come while the driver runs."""
    while not any(path.parent.glob(path.name)):
        assert driver.poll() is None, f"the run ended before {path} was made"
        time.sleep(0.02)


@pytest.mark.slow
@pytest.mark.parametrize("jobs", [True, False], ids=["with its jobs", "leaving orphans"])
@pytest.mark.parametrize(
    "moment",
    [
        "results/thin/phantom.zarr.partial*",  # a store half written
        "results/thick/phantom/box5.zarr",  # between a store and its record
        "results/work/edsr_small/*",  # a training under way
        "results/restored/phantom/box5/linear/untrained.record.json",  # between two jobs
    ],
)
def test_the_same_command_goes_on_after_a_kill(finished, tmp_path, moment, jobs):
    checkout = fresh(tmp_path / "thinslice")
    driver = checkout.start()
    wait_for(checkout.folder / moment, driver)
    kill(driver, jobs=jobs)
    checkout.run()
    assert scores(checkout) == scores(finished)
    assert (checkout.folder / WEIGHTS).read_bytes() == (finished.folder / WEIGHTS).read_bytes()
    assert checkout.planned() == set()
    assert not list((checkout.folder / "results").rglob("*.partial*"))


@pytest.mark.slow
def test_a_killed_run_of_other_code_leaves_nothing_behind_once_the_code_is_back(finished, tmp_path):
    checkout = twin(finished, tmp_path / "thinslice")
    record = checkout.folder / WEIGHTS.replace(".pt", ".record.json")
    before = {record.read_text(), ""}
    checkout.edit("src/thinslice/nets/edsr.py", "nn.ReLU(inplace=True)", "nn.GELU()")
    driver = checkout.start()
    while text_of(record) in before:
        assert driver.poll() is None
        time.sleep(0.02)
    kill(driver, jobs=True)  # new weights, and beside them what the old ones restored
    checkout.edit("src/thinslice/nets/edsr.py", "nn.GELU()", "nn.ReLU(inplace=True)")
    checkout.run()
    assert scores(checkout) == scores(finished)
    assert checkout.planned() == set()
    assert checkout.thinslice("audit", "results/tables/benchmark.csv").returncode == 0


def text_of(path: Path) -> str:
    """What a file holds; nothing while there is none."""
    try:
        return path.read_text()
    except FileNotFoundError:
        return ""


@pytest.mark.slow
def test_checkpoints_of_other_code_are_not_gone_on_from(finished, tmp_path):
    """What reads the data is code of the training too: a finished one must not be handed on."""
    checkout = twin(finished, tmp_path / "thinslice")
    works = checkout.folder / "results/work/edsr_small"
    before = set(works.iterdir())
    checkout.edit("workflow_scripts/train.py", "\np = ", "\nOTHER = 1\np = ")
    checkout.run(WEIGHTS)
    (new,) = set(works.iterdir()) - before
    assert (new / "curve.csv").read_text().count("\n") > 1
    checkout.edit("workflow_scripts/train.py", "OTHER = 1", "")
    checkout.run(WEIGHTS)
    assert set(works.iterdir()) == before | {new}


@pytest.mark.slow
@pytest.mark.parametrize("stage", ["train", "restore"])
def test_a_job_killed_alone_is_run_again_by_the_same_command(finished, tmp_path, stage):
    checkout = twin(finished, tmp_path / "thinslice")
    checkout.edit("src/thinslice/nets/edsr.py", "nn.ReLU(inplace=True)", "nn.ReLU()")
    driver = checkout.start(*TORCH)
    kill_job(f"{stage}.py", checkout.folder, driver)
    assert driver.wait() != 0
    checkout.run(*TORCH)
    assert checkout.planned(*TORCH) == set()


def test_two_drivers_do_not_share_a_results_folder(tmp_path):
    checkout = fresh(tmp_path / "thinslice")
    first = checkout.start()
    lock = checkout.folder / "results/.run.lock"
    wait_for(lock, first)
    while not lock.read_text():  # until the first holds it, and not merely looks
        assert first.poll() is None
        time.sleep(0.01)
    second = checkout.run("results/report.html", check=False)  # what the first makes last
    assert first.poll() is None
    wait_for(checkout.folder / "results/thin/phantom.record.json", first)
    kill(first, jobs=True)
    assert second.returncode != 0
    assert "another thinslice run" in second.stdout + second.stderr
