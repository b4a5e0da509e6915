"""A disk that fills up or turns read-only: one line, nothing half, and afterwards the same bits."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from support.checkout import Checkout, twin
from support.small_disk import empty, fill, on_small_disk, remount
from thinslice import errors

STAGES = {  # what the job of each stage leaves, its record first
    "convert": ["thin/phantom.record.json", "thin/phantom.zarr", "thick/phantom/acquired.zarr"],
    "train": [
        "weights/edsr_small/phantom--box5.record.json",
        "weights/edsr_small/phantom--box5.pt",
        "work",
    ],
    "restore": [
        "restored/phantom/box5/linear/untrained.record.json",
        "restored/phantom/box5/linear/untrained.zarr",
    ],
    "analyse": ["tables/benchmark.record.json", "tables/benchmark.csv"],
}
FREE_KIB = (0, 8, 20, 36, 60, 100, 200, 2000)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("stage", STAGES)
def test_however_much_is_free_a_job_succeeds_or_leaves_nothing(finished, tmp_path, stage):
    checkout = twin(finished, tmp_path / "thinslice")
    record = checkout.folder / "results" / STAGES[stage][0]
    job = json.loads(record.read_text())["command"]
    refused = 0
    with on_small_disk(checkout.folder / "results") as disk:
        for name in STAGES[stage]:
            subprocess.run(["rm", "-rf", str(disk / name)], check=True)
        for free_kib in FREE_KIB:
            fill(disk, free_kib)
            done = run_job(checkout, job)
            empty(disk)
            if done.returncode == 0:
                break
            refused += 1
            assert done.returncode == errors.OF_DISK, done.stderr
            assert "refused: " in done.stderr
            assert "the disk is full" in done.stderr
            assert "Traceback" not in done.stderr
            assert not record.exists()
            assert not [path for path in disk.rglob("*") if half(path)]
        assert record.exists()
        assert refused, "the disk was never too small"
        assert made(checkout, stage) == made(finished, stage)


def run_job(checkout: Checkout, words: list[str]) -> subprocess.CompletedProcess[str]:
    """The command of a record, in its own folder."""
    command = [sys.executable, f"workflow_scripts/{words[0]}", *words[1:]]
    return subprocess.run(
        command, cwd=checkout.folder, env=checkout.env(), capture_output=True, text=True
    )


def half(path: Path) -> bool:
    """Whether this is the leftover of a write that failed."""
    return ".partial" in path.name


def made(checkout: Checkout, stage: str) -> dict[str, str]:
    """Hashes of what a stage's record names, without columns of the run."""
    record = json.loads((checkout.folder / "results" / STAGES[stage][0]).read_text())
    return {
        output["path"]: output["sha256"]
        for output in record["outputs"].values()
        if not output["path"].endswith(".curve.csv")  # seconds are in it
    }


@pytest.mark.slow
@pytest.mark.parametrize("free_kib", [0, 4], ids=["none for the driver", "none for its job"])
def test_on_a_full_disk_the_terminal_says_so_once_more(finished, tmp_path, free_kib):
    """The log lies on the same disk, and so does the driver's lock; its own memory does not."""
    checkout = twin(finished, tmp_path / "thinslice")
    target = "results/" + STAGES["restore"][0]
    with on_small_disk(checkout.folder / "results") as disk:
        for name in STAGES["restore"]:
            subprocess.run(["rm", "-rf", str(disk / name)], check=True)
        fill(disk, free_kib)
        done = checkout.run(target, check=False)
        assert done.returncode != 0
        assert "refused: the disk under results cannot be written" in done.stderr
        assert ("rule restore" in done.stderr) == (free_kib > 0), "it came further or less far"
        assert "Traceback" not in done.stderr
        empty(disk)
        checkout.run(target)
        assert made(checkout, "restore") == made(finished, "restore")


@pytest.mark.slow
def test_read_only_results_are_refused_in_one_line(finished, tmp_path):
    checkout = twin(finished, tmp_path / "thinslice")
    with on_small_disk(checkout.folder / "results") as disk:
        remount(disk, "ro")
        done = checkout.run(check=False)
        assert done.returncode != 0
        assert "refused: " in done.stderr
        assert "Read-only file system" in done.stderr
        assert "Traceback" not in done.stderr
        remount(disk, "rw")
        checkout.run()
        assert checkout.planned() == set()
