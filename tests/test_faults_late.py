"""A shared disk that shows a file only some time after it was written, as NFS may."""

import time
from collections.abc import Iterator

import pytest
from checkout import Checkout, fresh

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
"""


@pytest.fixture
def late(tmp_path) -> Iterator[Checkout]:
    """A checkout in which degraded slices show only after ``show``."""
    checkout = fresh(tmp_path / "thinslice")
    with (checkout.folder / "workflow_scripts/ending.sh").open("a") as ending:
        ending.write(LATE.format(thick=THICK))
    yield checkout
    show(checkout)


def show(checkout: Checkout) -> None:
    """From now on every result shows; those held back have come when this returns."""
    (checkout.folder / ".shown").touch()
    while (checkout.folder / ".late").exists():
        time.sleep(0.02)


@pytest.mark.slow
def test_results_that_show_within_the_latency_wait_are_awaited(late):
    target = "results/restored/phantom/box5/linear/untrained.record.json"
    driver = late.start("--latency-wait", "600", target)
    log = late.folder / "driver.log"
    while "Waiting at most 600 seconds for missing files" not in log.read_text():
        assert driver.poll() is None, log.read_text()
        time.sleep(0.02)
    show(late)
    assert driver.wait() == 0, log.read_text()
    assert late.planned(target) == set()


@pytest.mark.slow
def test_results_that_show_later_fail_with_the_word_for_it_and_are_made_again(late):
    target = f"{THICK}.record.json"
    done = late.run("--latency-wait", "2", target, check=False)
    assert done.returncode != 0
    assert "filesystem latency" in done.stderr
    assert "Traceback" not in done.stderr
    show(late)
    said = late.run("--latency-wait", "600", target).stderr
    assert "rule degrade" in said
    assert late.planned(target) == set()
