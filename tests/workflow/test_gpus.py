"""``gpus: 2`` in the config: two processes, one record; trainings at once never share a device."""

import json
import shutil
from pathlib import Path

import pytest

from support.checkout import CONFIG, Checkout, fresh
from support.kills import kill_job
from support.paths import ROOT
from thinslice.training import weights

SOURCES = ("phantom--acquired", "phantom--box5")
WEIGHTS = [f"results/weights/edsr_small/{source}.pt" for source in SOURCES]
CPU, GPU = ("--config", "device=cpu"), ("--config", "device=cuda")


def with_gpus(folder: Path, gpus: int = 2) -> Checkout:
    checkout = fresh(folder)
    checkout.edit(CONFIG, "edsr_small: {settings", f"edsr_small: {{gpus: {gpus}, settings")
    return checkout


def facts(checkout: Checkout, target: str) -> dict:
    record = checkout.folder / target.replace(".pt", ".record.json")
    return json.loads(record.read_text())["facts"]


@pytest.mark.slow
def test_two_processes_train_and_one_record_says_so(tmp_path):
    checkout = with_gpus(tmp_path / "thinslice")
    checkout.run(WEIGHTS[0], *CPU)
    found = facts(checkout, WEIGHTS[0])
    assert (found["processes"], found["device"]) == (2, "cpu")
    assert found["precision"] == "fp32"
    assert found["process_peak_memory_gib"] > 0.1
    assert weights.head(checkout.folder / WEIGHTS[0])["about"]["thinslice"]
    checkout.edit(CONFIG, "gpus: 2", "gpus: 1")
    assert checkout.planned(WEIGHTS[0], *CPU) == set(), "how many train it is scheduling"
    checkout.run(WEIGHTS[0], *CPU, "--forcerun", "train")
    assert facts(checkout, WEIGHTS[0])["processes"] == 1


@pytest.mark.slow
def test_trainings_at_once_never_hold_the_same_gpu(tmp_path):
    """Two jobs that want two of three devices take turns, though the run may use four."""
    checkout = with_gpus(tmp_path / "thinslice")
    script = checkout.folder / "workflow_scripts/train.py"
    shutil.copy2(ROOT / "tests/support/fake_gpus.py", script.parent)
    script.write_text(script.read_text().replace("import argparse", "import fake_gpus, argparse"))
    checkout.run("--resources", "gpu=4", *GPU, "--", *WEIGHTS)
    held: dict[str, set[str]] = {}
    lines = (checkout.folder / "gpus.log").read_text().splitlines()
    for line in lines:
        what, job, *devices = line.split()
        if what == "take":
            assert len(devices) == 2
            assert not set().union(*held.values()) & set(devices)
            held[job] = set(devices)
        else:
            del held[job]
    assert len(lines) == 4
    assert {facts(checkout, target)["device"] for target in WEIGHTS} == {"cuda:0, cuda:1"}


@pytest.mark.slow
def test_a_killed_job_of_two_processes_is_run_again_by_the_same_command(tmp_path):
    checkout = with_gpus(tmp_path / "thinslice")
    driver = checkout.start(WEIGHTS[0], *CPU)
    kill_job("train.py", checkout.folder, driver)
    assert driver.wait() != 0
    checkout.run(WEIGHTS[0], *CPU)
    assert facts(checkout, WEIGHTS[0])["processes"] == 2


@pytest.mark.parametrize(
    ("line", "arguments", "says"),
    [
        ("gpus: 2", ("--resources", "gpu=1"), "the run may use 1 at once: start it with"),
        (
            "gpus: 3",
            ("--resources", "gpu=3"),
            "a batch of 2 cannot be divided equally: set batch to",
        ),
        ("fit: volume, gpus: 2", ("--resources", "gpu=2"), "only a method fitted beforehand"),
    ],
)
def test_gpus_that_cannot_train_it_are_refused_before_anything_runs(
    line, arguments, says, tmp_path
):
    checkout = fresh(tmp_path / "thinslice")
    checkout.edit(CONFIG, "edsr_small: {settings", f"edsr_small: {{{line}, settings")
    done = checkout.run("-n", *arguments, *GPU, check=False)
    said = [text for text in (done.stdout + done.stderr).splitlines() if "refused" in text]
    assert done.returncode
    assert len(said) == 1
    assert says in said[0]
