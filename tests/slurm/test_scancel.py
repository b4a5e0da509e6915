"""A job cancelled by hand is noticed by the driver, and the same command goes on."""

import pytest

from support.checkout import TORCH, twin

pytestmark = [pytest.mark.slurm, pytest.mark.timeout(1800)]
NOTICED_S = 120


def test_a_cancelled_job_is_noticed_and_the_same_command_goes_on(cluster, finished, tmp_path):
    checkout = twin(finished, tmp_path / "thinslice")
    checkout.edit("src/thinslice/nets/edsr.py", "nn.ReLU(inplace=True)", "nn.ReLU()")
    command = ("--retries", "0", *TORCH)
    driver = cluster.start(checkout, *command)
    cancelled = cluster.wait_for(checkout, "train", "RUNNING")
    cluster.ask("scancel", cancelled)
    assert driver.wait(NOTICED_S) != 0
    assert "CANCELLED" in (checkout.folder / "driver.log").read_text()
    cluster.run(checkout, *command)
    assert sorted(cluster.jobs(checkout, "train").values()) == ["CANCELLED", "COMPLETED"]
    assert checkout.planned(*TORCH) == set()
    assert scores(checkout) == scores(finished)


def scores(checkout):
    return (checkout.folder / TORCH[0]).read_text()
