"""The demo's methods through Slurm: the numbers of a local run, every GPU job on its own device."""

import json
from datetime import datetime, timedelta
from itertools import combinations
from pathlib import Path

import pytest
import yaml

from support import slurm_cluster
from support.checkout import CONFIG, Checkout, fresh
from support.same_results import scores

pytestmark = [pytest.mark.slurm, pytest.mark.timeout(1800)]
EVIDENCE = "results/evidence/evidence.record.json"
TORCH = ("edsr_small", "tvsrn_small")


@pytest.fixture(scope="module")
def ran(cluster, tmp_path_factory):
    checkout = demo(tmp_path_factory.mktemp("slurm run") / "thin slices")
    cluster.run(checkout, EVIDENCE)
    return checkout


@pytest.fixture(scope="module")
def local(tmp_path_factory):
    checkout = demo(tmp_path_factory.mktemp("local run") / "thin slices")
    checkout.run(EVIDENCE)
    return checkout


def demo(folder: Path) -> Checkout:
    """A checkout with the tiny data, and the demo's networks as config.yaml has them, briefly."""
    checkout = fresh(folder)
    config = yaml.safe_load((folder / CONFIG).read_text())
    few = {"steps": 6, "validate_every": 3}
    config["methods"] = {method: {"settings": few} for method in TORCH}
    config["grid"]["methods"] = ["linear", *TORCH]
    (folder / CONFIG).write_text(json.dumps(config))
    return checkout


@pytest.fixture(scope="module")
def gpu_jobs(ran):
    """(devices, begin, end) of every job that Slurm gave a GPU, as its record tells them."""
    found = []
    for path in (ran.folder / "results").rglob("*.record.json"):
        record = json.loads(path.read_text())
        if devices := record["machine"]["gpus"]:
            begin = datetime.fromisoformat(record["started"])
            found.append((devices.split(","), begin, begin + timedelta(seconds=record["wall_s"])))
    return found


def test_the_numbers_are_those_of_a_local_run(ran, local):
    assert scores(ran) == scores(local)
    assert all(any(f",{method}," in line for line in scores(ran)) for method in TORCH)
    assert ran.planned(EVIDENCE) == set()


def test_torch_jobs_and_no_others_were_given_one_gpu_each(ran, gpu_jobs):
    torch = []
    for method in TORCH:
        torch += ran.folder.glob(f"results/weights/{method}/*.record.json")
        torch += ran.folder.glob(f"results/restored/*/*/{method}/*.record.json")
    assert len(torch) == 2 * (2 + 4)  # each is fitted on two degradations, and tested on both
    assert all(json.loads(path.read_text())["machine"]["gpus"] for path in torch)
    assert len(gpu_jobs) == len(torch)
    assert {len(devices) for devices, *_ in gpu_jobs} == {1}


def test_no_two_gpu_jobs_shared_a_device_and_both_devices_were_used(gpu_jobs):
    for (ours, begin, end), (theirs, other_begin, other_end) in combinations(gpu_jobs, 2):
        if begin < other_end and other_begin < end:
            assert not set(ours) & set(theirs)
    assert {device for devices, *_ in gpu_jobs for device in devices} == {"0", "1"}


def test_never_more_gpu_jobs_at_once_than_gpus(gpu_jobs):
    for _, moment, _ in gpu_jobs:
        at_once = sum(begin <= moment < end for _, begin, end in gpu_jobs)
        assert at_once <= slurm_cluster.GPUS


def test_every_job_ran_once(cluster, ran):
    for rule in ("convert", "train", "restore", "score"):
        made = len([*(ran.folder / "results/logs" / rule).rglob("*.log")])
        assert list(cluster.jobs(ran, rule).values()) == ["COMPLETED"] * made
