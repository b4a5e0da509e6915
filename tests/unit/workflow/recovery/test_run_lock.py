"""One driver per results folder, and a killed one leaves nothing to clean up."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from support import small_disk
from thinslice.workflow.recovery import run_lock

HOLD = """
import sys, time
from pathlib import Path
from thinslice.workflow.recovery import run_lock
run_lock.acquire(Path(sys.argv[1]))
print("held", flush=True)
time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path: Path):
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()


def test_a_second_driver_is_refused_and_told_who_holds_the_folder(holder, tmp_path):
    with pytest.raises(ValueError, match=f"process {holder.pid}"):
        run_lock.acquire(tmp_path)


def test_a_disk_without_room_for_the_holder_s_number_is_refused_in_one_line(tmp_path):
    folder = tmp_path / "results"
    folder.mkdir()
    with small_disk.on_small_disk(folder, size_mib=1) as disk:
        small_disk.fill(disk, 0)
        with pytest.raises(ValueError, match=f"the disk under {folder} .*No space left"):
            run_lock.acquire(folder)
        small_disk.empty(disk)
        run_lock.acquire(folder)


def test_a_killed_driver_leaves_the_folder_free(holder, tmp_path):
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    started = time.monotonic()
    run_lock.acquire(tmp_path)
    assert time.monotonic() - started < 5
    assert (tmp_path / ".run.lock").read_text() == f"{os.getpid()}\n"
