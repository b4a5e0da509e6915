"""A program that shares two cases, of a minute each, with a process beside it."""

import multiprocessing
import sys
import time
from functools import partial
from pathlib import Path

from support.process_tasks import write_pid
from thinslice.runtime import shared_cases


def compute(folder: Path, case: str) -> None:
    """Say which process is beside, and take a minute."""
    if multiprocessing.parent_process():
        write_pid(folder, "beside")
    time.sleep(60)


if __name__ == "__main__":
    shared_cases.START_S = 0.0  # another is started without asking whether it pays
    shared_cases.shared(partial(compute, Path(sys.argv[1])), ["a", "b"], 2)
