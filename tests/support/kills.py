"""kill -9 in one checkout: the driver alone, one job, or everything there."""

import contextlib
import os
import random
import signal
import subprocess
import time
from pathlib import Path


def jobs(folder: Path) -> dict[int, str]:
    """Process id and stage (convert, train ...) of every job script that runs in ``folder``."""
    found = {}
    for pid, words in _commands(folder).items():
        scripts = [Path(word).stem for word in words if "workflow_scripts/" in word]
        if scripts and Path(words[0]).name.startswith("python"):
            found[pid] = scripts[0]
    return found


def driver_alone(folder: Path, driver: subprocess.Popen, rng: random.Random) -> None:
    """Its jobs go on as orphans."""
    driver.kill()
    driver.wait()


def one_job(folder: Path, driver: subprocess.Popen, rng: random.Random) -> None:
    """Any one that runs; where none does, the next to begin. The driver goes on."""
    while driver.poll() is None:
        if running := sorted(jobs(folder)):
            with contextlib.suppress(ProcessLookupError):  # it ended by itself: try again
                os.kill(rng.choice(running), signal.SIGKILL)
                return
        time.sleep(0.02)


def everything(folder: Path, driver: subprocess.Popen, rng: random.Random) -> None:
    """The driver with all jobs, and orphans of drivers before it, as when the power goes."""
    driver.kill()
    driver.wait()
    while commands := _commands(folder):
        for pid in commands:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.02)


def _commands(folder: Path) -> dict[int, list[str]]:
    """Command lines of the living processes whose working directory is ``folder``."""
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            words = (process / "cmdline").read_bytes().decode(errors="replace").split("\0")
            if words[0] and (process / "cwd").samefile(folder) and int(process.name) != os.getpid():
                found[int(process.name)] = words
    return found


def kill_job(script: str, folder: Path, driver: subprocess.Popen) -> None:
    """kill -9 of one job's interpreter, in ``folder``, once it is there; the driver lives on."""
    while driver.poll() is None:
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                command = (process / "cmdline").read_bytes().decode().split("\0")
                ours = any(word.endswith(f"workflow_scripts/{script}") for word in command)
                if ours and (process / "cwd").samefile(folder):
                    os.kill(int(process.name), signal.SIGKILL)
                    return
        time.sleep(0.02)
    raise AssertionError(f"{script} was not run")
