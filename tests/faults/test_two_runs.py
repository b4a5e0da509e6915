"""Two runs at once, from the same folder or through a link, for the same targets or others."""

import os
import signal
import time

import pytest

from support.checkout import Checkout, fresh

FIRST = "results/thin/phantom.record.json"
LOCK = "results/.run.lock"


@pytest.mark.slow
@pytest.mark.parametrize("target", [FIRST, "results/raw/phantom.record.json"])
@pytest.mark.parametrize("linked", [False, True], ids=["same path", "through a link"])
def test_a_second_run_is_refused_whatever_it_wants_and_wherever_from(tmp_path, target, linked):
    checkout = fresh(tmp_path / "thinslice")
    (tmp_path / "link").symlink_to(checkout.folder)
    first = checkout.start(FIRST)
    while not (checkout.folder / LOCK).exists() or not (checkout.folder / LOCK).read_text():
        assert first.poll() is None
        time.sleep(0.02)
    os.kill(first.pid, signal.SIGSTOP)  # so that it cannot be done before the second looks
    second = Checkout(tmp_path / "link") if linked else checkout
    try:
        done = second.run("--forceall", target, check=False)
    finally:
        os.kill(first.pid, signal.SIGCONT)
    assert first.wait() == 0, (checkout.folder / "driver.log").read_text()
    assert done.returncode != 0
    said = [line for line in done.stderr.splitlines() if "another thinslice run" in line]
    assert said
    assert f"process {first.pid}" in said[0]
    assert "Traceback" not in done.stderr
    assert (checkout.folder / FIRST).exists()
    assert checkout.planned(FIRST) == set()
