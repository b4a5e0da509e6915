"""A driver killed with -9, started again by the same command, loses no job and doubles none."""

import json

import pytest

from support.checkout import TORCH, twin

pytestmark = [pytest.mark.slurm, pytest.mark.timeout(1800)]


@pytest.fixture
def checkout(finished, tmp_path):
    """Where the weights of one method are to be made again, and all that rests on them."""
    made = twin(finished, tmp_path / "thin slices")
    made.edit("src/thinslice/nets/edsr.py", "nn.ReLU(inplace=True)", "nn.ReLU()")
    return made


def killed(cluster, checkout, state):
    """A driver that was killed while its training was in ``state``; the training's number."""
    driver = cluster.start(checkout, *TORCH)
    number = cluster.wait_for(checkout, "train", state)
    driver.kill()
    driver.wait()
    return number


def test_a_job_left_running_is_waited_for_and_not_done_again(cluster, checkout, finished):
    left = killed(cluster, checkout, "RUNNING")
    said = cluster.run(checkout, *TORCH)
    assert f"waiting for Slurm jobs of a run that was killed: {left}" in said
    assert made_by(checkout) == left
    assert ends_as(checkout, finished)


def test_what_was_finished_between_two_drivers_is_not_done_again(cluster, checkout, finished):
    left = killed(cluster, checkout, "RUNNING")
    assert cluster.wait_for(checkout, "train", "COMPLETED") == left
    cluster.run(checkout, *TORCH)
    assert made_by(checkout) == left
    assert ends_as(checkout, finished)


def test_what_was_finished_by_other_code_meanwhile_is_done_again(cluster, checkout, finished):
    left = killed(cluster, checkout, "RUNNING")
    assert cluster.wait_for(checkout, "train", "COMPLETED") == left
    checkout.edit("src/thinslice/nets/edsr.py", "nn.ReLU()", "nn.ReLU(inplace=False)")
    cluster.run(checkout, *TORCH)
    assert made_by(checkout) != left
    assert ends_as(checkout, finished)


def test_a_job_left_waiting_is_cancelled_and_run_once(cluster, checkout, finished):
    busy = cluster.ask("sbatch", "--parsable", "--gpus=2", "--output=/dev/null", "--wrap=sleep 600")
    left = killed(cluster, checkout, "PENDING")
    driver = cluster.start(checkout, *TORCH)
    cluster.wait_for(checkout, "train", "CANCELLED")
    again = cluster.wait_for(checkout, "train", "PENDING")
    cluster.ask("scancel", busy)
    assert driver.wait(600) == 0
    assert cluster.jobs(checkout, "train") == {left: "CANCELLED", again: "COMPLETED"}
    assert ends_as(checkout, finished)


def made_by(checkout) -> str:
    """The number of the Slurm job whose work the weights are."""
    record = next(checkout.folder.glob("results/weights/edsr_small/phantom--acquired.record.json"))
    return json.loads(record.read_text())["machine"]["slurm_job"]


def ends_as(checkout, finished) -> bool:
    """Whether nothing is left to do, and the scores are those of the undisturbed run."""
    ours, theirs = ((c.folder / TORCH[0]).read_text() for c in (checkout, finished))
    return checkout.planned(*TORCH) == set() and ours == theirs
