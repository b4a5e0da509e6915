"""Killed equals unkilled: after kill -9 the same command goes on, and ends with the same bits."""

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from checkout import Checkout, fresh

WEIGHTS = "results/weights/edsr_small/phantom--acquired.pt"


def kill(driver: subprocess.Popen, *, jobs: bool) -> None:
    """kill -9 of the driver; with its jobs, or leaving them behind as orphans."""
    if jobs:
        os.killpg(driver.pid, signal.SIGKILL)
    else:
        driver.kill()
    driver.wait()


def wait_for(path: Path, driver: subprocess.Popen, timeout_s: float = 120) -> None:
    """Until ``path`` is there; it must come while the driver runs."""
    end = time.monotonic() + timeout_s
    while not any(path.parent.glob(path.name)):
        assert driver.poll() is None, f"the run ended before {path} was made"
        assert time.monotonic() < end, f"{path} was not made in {timeout_s} s"
        time.sleep(0.02)


def numbers(checkout: Checkout) -> list[str]:
    """Every score, without the ids of the records it came from."""
    lines = (checkout.folder / "results/evidence/scores.csv").read_text().splitlines()
    return [line.rsplit(",", 1)[0] for line in lines]


@pytest.mark.slow
@pytest.mark.parametrize("jobs", [True, False], ids=["with its jobs", "leaving orphans"])
@pytest.mark.parametrize(
    "moment",
    [
        "results/thin/phantom.zarr.partial*",  # a store half written
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
    assert numbers(checkout) == numbers(finished)
    assert (checkout.folder / WEIGHTS).read_bytes() == (finished.folder / WEIGHTS).read_bytes()
    assert checkout.planned() == set()
    assert not list((checkout.folder / "results").rglob("*.partial*"))


def test_two_drivers_do_not_share_a_results_folder(tmp_path):
    checkout = fresh(tmp_path / "thinslice")
    first = checkout.start("results/thin/phantom.record.json")
    wait_for(checkout.folder / "results/.run.lock", first)
    second = checkout.run("results/thin/phantom.record.json", check=False)
    first.wait()
    assert second.returncode != 0
    assert "another thinslice run" in second.stdout + second.stderr
    assert (checkout.folder / "results/thin/phantom.record.json").exists()
