"""A shared disk that shows a file only seconds after it was written, as NFS may."""

import pytest
from checkout import Checkout, fresh

THICK = "results/thick/phantom/box5"
LATE = """
python() {{  # the job's results go out of sight as it ends, and come back later
    command python "$@" || return
    case "$1" in *degrade.py)
        mkdir -p .late; mv {thick}.zarr {thick}.record.json .late/
        (sleep {seconds}; mv .late/* results/thick/phantom/) </dev/null >/dev/null 2>&1 &
    esac
}}
"""


def made_late(tmp_path, seconds: int) -> Checkout:
    """A checkout in which degraded slices show ``seconds`` after their job has ended."""
    checkout = fresh(tmp_path / "thinslice")
    with (checkout.folder / "workflow_scripts/ending.sh").open("a") as ending:
        ending.write(LATE.format(thick=THICK, seconds=seconds))
    return checkout


@pytest.mark.slow
def test_results_that_show_within_the_latency_wait_are_awaited(tmp_path):
    checkout = made_late(tmp_path, seconds=3)
    target = "results/restored/phantom/box5/linear/untrained.record.json"
    done = checkout.run("--latency-wait", "8", target)
    assert "Waiting at most 8 seconds for missing files" in done.stderr
    assert checkout.planned(target) == set()


@pytest.mark.slow
def test_results_that_show_later_fail_with_the_word_for_it_and_are_made_again(tmp_path):
    checkout = made_late(tmp_path, seconds=12)
    target = f"{THICK}.record.json"
    done = checkout.run("--latency-wait", "2", target, check=False)
    assert done.returncode != 0
    assert "filesystem latency" in done.stderr
    assert "Traceback" not in done.stderr
    checkout.run("--latency-wait", "30", target)
    assert checkout.planned(target) == set()
