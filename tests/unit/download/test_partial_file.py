"""Downloads by several processes, or by one that is killed: every byte comes once."""

import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from support.file_server import Files, serving
from support.paths import importing
from support.remote_file import BRISK, DATA, SHA256
from thinslice.download.fetch import Remote, fetch
from thinslice.download.partial_file import Part

CHILD = """
import sys
from pathlib import Path
from thinslice.download.fetch import Remote, fetch
from thinslice.download.transfer import Patience
fetch([Remote(sys.argv[1], "a.bin", sha256=sys.argv[3])], Path(sys.argv[2]),
      patience=Patience(tries=9, wait_s=float(sys.argv[4])))
"""


@pytest.fixture
def files():
    with serving(Files({"a.bin": DATA})) as served:
        yield served


def child(url: str, raw: Path, wait_s: float) -> subprocess.Popen:
    arguments = [sys.executable, "-c", CHILD, url, str(raw), SHA256, str(wait_s)]
    return subprocess.Popen(arguments, env=importing(), stderr=subprocess.DEVNULL)


def test_killed_in_the_middle_it_goes_on_where_it_was(files, tmp_path):
    files.drops = [700_000]
    process = child(f"{files.url}/a.bin", tmp_path, wait_s=60)  # waits after the drop
    part = tmp_path / "a.bin.part"
    deadline = time.monotonic() + 30
    while not (part.exists() and part.stat().st_size == 700_000):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    fetch([Remote(f"{files.url}/a.bin", "a.bin", sha256=SHA256)], tmp_path, patience=BRISK)
    assert (tmp_path / "a.bin").read_bytes() == DATA
    assert files.asked[-1] == ("/a.bin", "bytes=700000-")
    assert files.sent == len(DATA)


def test_who_waited_for_another_that_gave_up_begins_anew(tmp_path, capfd):
    """The file it waited at is gone by then."""

    def wait_and_write() -> None:
        with Part(tmp_path / "a.bin") as part:
            part.add(DATA)
            part.finish()

    with Part(tmp_path / "a.bin"):
        waiting = threading.Thread(target=wait_and_write)
        waiting.start()
        while "waiting" not in capfd.readouterr().err:
            time.sleep(0.01)
    waiting.join(30)
    assert (tmp_path / "a.bin").read_bytes() == DATA


def test_two_processes_at_once_fetch_it_once(files, tmp_path):
    files.drops = [700_000]  # the first one is held up
    both = [child(f"{files.url}/a.bin", tmp_path, wait_s=0.5) for _ in range(2)]
    assert [process.wait(60) for process in both] == [0, 0]
    assert (tmp_path / "a.bin").read_bytes() == DATA
    assert files.sent == len(DATA)
