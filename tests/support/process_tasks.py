"""Tasks of processes of one job; run as a program, it starts two."""

import os
import signal
import sys
import time
from functools import partial
from pathlib import Path

from thinslice.runtime.processes import together


def write_pid(folder: Path, name: str) -> None:
    temporary = folder / f"{name}.part"
    temporary.write_text(str(os.getpid()))
    temporary.replace(folder / name)


def work_on(folder: Path, name: str) -> None:
    """Write for a minute, unless stopped."""
    write_pid(folder, name)
    for i in range(6000):
        (folder / f"{name}.work").write_text(str(i))
        time.sleep(0.01)


def finish(folder: Path, name: str) -> None:
    write_pid(folder, name)


def fail(folder: Path, name: str) -> None:
    write_pid(folder, name)
    raise KeyError(f"the reason of {name}")


def fail_because_of(folder: Path, name: str, first: str) -> None:
    """Fail as a process does whose peer has died."""
    while not (folder / first).exists():
        time.sleep(0.01)
    time.sleep(0.3)
    raise ConnectionError("closed by the other side")


def refuse(folder: Path, name: str) -> None:
    raise OSError(28, "No space left on device", str(folder))


def say_much(folder: Path, name: str) -> None:
    raise KeyError("tensor of another shape; " * 10_000)


def leave(folder: Path, name: str) -> None:
    os._exit(7)


def be_killed(folder: Path, name: str) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    together([partial(work_on, folder, name) for name in ("one", "two")])
