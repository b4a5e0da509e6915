"""Slurm jobs that a killed driver left behind: none of them may start late or be doubled.

A driver that was killed leaves its jobs in Slurm's queue, and a new one would submit the same jobs
again. So before it plans, those that have not begun are cancelled, and those that run are waited
for: what they finish need not be planned. Standard library only.
"""

import getpass
import shutil
import subprocess
import sys
import time
from pathlib import Path

OURS = ("rule_", "group_")  # how the comment of every job begins that the executor submits
POLL_S = 5.0
SAY_EVERY_S = 600.0


def settle(logs: Path) -> None:
    """Until no Slurm job is left that logs into ``logs``, this folder's; at once without Slurm."""
    if not logs.is_dir() or shutil.which("squeue") is None:
        return
    said = 0.0
    while jobs := found(logs.resolve()):
        running = [job for job, state in jobs.items() if state != "PENDING"]
        if waiting := [job for job, state in jobs.items() if state == "PENDING"]:
            _say(f"cancelling Slurm jobs of a driver that was killed: {' '.join(waiting)}")
            _ask("scancel", "--state=PENDING", *waiting)
        elif not said or time.monotonic() - said > SAY_EVERY_S:
            said = time.monotonic()
            _say(
                f"waiting for Slurm jobs of a driver that was killed: {' '.join(running)}; to have "
                f"trainings go on from their checkpoints at once: scancel {' '.join(running)}"
            )
        time.sleep(POLL_S if running else 0.5)


def found(logs: Path) -> dict[str, str]:
    """State of every job of this user, by number, that logs below a folder and has not ended."""
    listed = _ask("squeue", f"--user={getpass.getuser()}", "--noheader", "--format=%i|%T|%k")
    rows = [line.split("|", 2) for line in listed.splitlines()]
    ours = {job: state for job, state, comment in rows if comment.startswith(OURS)}
    return {
        job: state
        for job, state in ours.items()
        if f" StdOut={logs}/" in _ask("scontrol", "show", "job", "--oneliner", job)
    }


def _ask(*command: str) -> str:
    """What one of Slurm's commands prints; nothing, with a word on stderr, if it fails."""
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        _say(f"{command[0]} failed: {done.stderr.strip()}")
    return done.stdout


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
