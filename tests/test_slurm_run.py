"""A run through Slurm: the numbers of a local one, and every GPU job on a device of its own."""

import json
from datetime import datetime, timedelta
from itertools import combinations

import pytest
import slurm_cluster
from checkout import fresh
from test_kills import numbers

pytestmark = [pytest.mark.slurm, pytest.mark.timeout(1800)]
EVIDENCE = "results/evidence/evidence.record.json"


@pytest.fixture(scope="module")
def ran(cluster, tmp_path_factory):
    checkout = fresh(tmp_path_factory.mktemp("slurm run") / "thin slices")
    cluster.run(checkout, EVIDENCE)
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


def test_the_numbers_are_those_of_a_local_run(ran, finished):
    assert numbers(ran) == numbers(finished)
    assert ran.planned(EVIDENCE) == set()


def test_torch_jobs_and_no_others_were_given_one_gpu_each(ran, gpu_jobs):
    torch = [*ran.folder.glob("results/weights/edsr_small/*.record.json")]
    torch += ran.folder.glob("results/restored/*/*/edsr_small/*.record.json")
    assert len(torch) > slurm_cluster.GPUS
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
