"""A shared disk that shows a file only some time after it was written, as NFS may."""

import shutil
import time
from collections.abc import Iterator

import pytest

from support.checkout import Checkout, fresh

THICK = "results/thick/phantom/box5"
LATE = """
python() {{  # the job's results go out of sight as it ends, and come back once they may
    command python "$@" || return
    case "$1" in *degrade.py)
        mkdir -p .late; mv {thick}.zarr {thick}.record.json .late/
        (until [ -e .shown ]; do sleep 0.1; done; mv .late/* results/thick/phantom/
         rmdir .late) </dev/null >/dev/null 2>&1 &
    esac
}}
env() {{  # a rule may set its threads by it: the Python that it would start is not held back
    while [[ "$1" == *=* ]]; do export "$1"; shift; done
    "$@"
}}
"""


@pytest.fixture
def late(tmp_path) -> Iterator[Checkout]:
    """A checkout in which degraded slices show only after ``show``."""
    checkout = fresh(tmp_path / "thinslice")
    with (checkout.folder / "workflow_scripts/job_exit.sh").open("a") as ending:
        ending.write(LATE.format(thick=THICK))
    yield checkout
    show(checkout)


def show(checkout: Checkout) -> None:
    """From now on every result shows; those held back have come when this returns."""
    (checkout.folder / ".shown").touch()
    while (checkout.folder / ".late").exists():
        time.sleep(0.02)


def said(checkout: Checkout) -> str:
    """By the driver last started; what holds results back keeps its pipes open, not its file."""
    return (checkout.folder / "driver.log").read_text()


@pytest.mark.slow
def test_results_that_show_within_the_latency_wait_are_awaited(late):
    target = "results/restored/phantom/box5/linear/untrained.record.json"
    driver = late.start("--latency-wait", "600", target)
    while "Waiting at most 600 seconds for missing files" not in said(late):
        assert driver.poll() is None, said(late)
        time.sleep(0.02)
    show(late)
    assert driver.wait() == 0, said(late)
    assert late.planned(target) == set()


@pytest.mark.slow
@pytest.mark.parametrize("lost", [False, True], ids=["shown later", "never shown"])
def test_results_that_do_not_show_in_time_fail_with_the_word_for_it(late, lost):
    """Once they show they are as good as any; those that never do are made again."""
    target = f"{THICK}.record.json"
    assert late.start("--latency-wait", "2", target).wait() != 0
    assert "filesystem latency" in said(late)
    assert "Traceback" not in said(late)
    if lost:
        shutil.rmtree(late.folder / ".late")
    show(late)
    assert late.planned(target) == ({f"{THICK}.zarr"} if lost else set())
    assert late.start("--latency-wait", "600", target).wait() == 0, said(late)
    assert late.planned(target) == set()
