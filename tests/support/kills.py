"""Kill (SIGKILL) in one checkout: the driver, one job, or everything."""

import contextlib
import os
import random
import signal
import subprocess
import time
from pathlib import Path


def jobs(folder: Path) -> dict[int, str]:
    """Process id and stage (convert, train ...) of every job script running in ``folder``."""
    processes = {}
    for pid, words in _commands(folder).items():
        scripts = [Path(word).stem for word in words if "workflow_scripts/" in word]
        if scripts and Path(words[0]).name.startswith("python"):
            processes[pid] = scripts[0]
    return processes


def driver_alone(folder: Path, driver: subprocess.Popen, rng: random.Random) -> None:
    """Kill the driver only; its jobs run on as orphans."""
    driver.kill()
    driver.wait()


def one_job(folder: Path, driver: subprocess.Popen, rng: random.Random) -> None:
    """Kill a random running job, or the next to start; the driver runs on."""
    while driver.poll() is None:
        if running := sorted(jobs(folder)):
            with contextlib.suppress(ProcessLookupError):  # it ended by itself: try again
                os.kill(rng.choice(running), signal.SIGKILL)
                return
        time.sleep(0.02)


def everything(folder: Path, driver: subprocess.Popen, rng: random.Random) -> None:
    """Kill the driver, all jobs and orphans of earlier drivers, as in a power cut."""
    driver.kill()
    driver.wait()
    while commands := _commands(folder):
        for pid in commands:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.02)


def _commands(folder: Path) -> dict[int, list[str]]:
    """Command lines of the running processes whose working directory is ``folder``."""
    processes = {}
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            words = (process / "cmdline").read_bytes().decode(errors="replace").split("\0")
            if words[0] and (process / "cwd").samefile(folder) and int(process.name) != os.getpid():
                processes[int(process.name)] = words
    return processes


def kill_job(script: str, folder: Path, driver: subprocess.Popen) -> None:
    """Kill the interpreter of one job in ``folder`` once it runs; the driver runs on."""
    while driver.poll() is None:
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                command = (process / "cmdline").read_bytes().decode().split("\0")
                ours = any(word.endswith(f"workflow_scripts/{script}") for word in command)
                if ours and (process / "cwd").samefile(folder):
                    os.kill(int(process.name), signal.SIGKILL)
                    return
        time.sleep(0.02)
    raise AssertionError(f"the driver ended before it ran {script}")
