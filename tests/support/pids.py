"""Whether processes that a test knows by their id still run."""

import time
from pathlib import Path


def alive(pid: int) -> bool:
    """Whether a process runs; one that ended and is not asked for yet does not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return stat.rsplit(")", 1)[1].split()[0] != "Z"


def pid_in(path: Path, timeout_s: float = 60) -> int:
    end = time.monotonic() + timeout_s
    while not path.exists():
        assert time.monotonic() < end, f"{path} was not made in {timeout_s} s"
        time.sleep(0.01)
    return int(path.read_text())


def gone(pid: int, timeout_s: float = 10) -> bool:
    end = time.monotonic() + timeout_s
    while alive(pid) and time.monotonic() < end:
        time.sleep(0.01)
    return not alive(pid)
