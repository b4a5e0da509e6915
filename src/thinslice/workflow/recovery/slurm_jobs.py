"""Slurm jobs of a killed run: cancelled if pending, waited for if running. Standard library only.

A killed run leaves its jobs in Slurm's queue, and the next run would submit the same jobs again. So
it first cancels those that are pending and waits for those that run: what they finish is not
planned again.
"""

import getpass
import shutil
import subprocess
import sys
import time
from pathlib import Path

COMMENTS = ("rule_", "group_")  # first words of the comment of a job that the executor submits
POLL_S = 5.0
REPORT_EVERY_S = 600.0


def wait_or_cancel(logs: Path) -> None:
    """Return once no Slurm job is left that logs into ``logs``; at once without Slurm."""
    if not logs.is_dir() or shutil.which("squeue") is None:
        return
    reported = 0.0
    while jobs := jobs_logging_in(logs.resolve()):
        running = [job for job, state in jobs.items() if state != "PENDING"]
        if pending := [job for job, state in jobs.items() if state == "PENDING"]:
            _report(f"cancelling Slurm jobs of a run that was killed: {' '.join(pending)}")
            _run("scancel", "--state=PENDING", *pending)
        elif not reported or time.monotonic() - reported > REPORT_EVERY_S:
            reported = time.monotonic()
            _report(
                f"waiting for Slurm jobs of a run that was killed: {' '.join(running)}; to resume "
                f"their trainings from checkpoints instead: scancel {' '.join(running)}"
            )
        time.sleep(POLL_S if running else 0.5)


def jobs_logging_in(logs: Path) -> dict[str, str]:
    """State of this user's pending and running jobs that log below a folder, by job number."""
    queue = _run("squeue", f"--user={getpass.getuser()}", "--noheader", "--format=%i|%T|%k")
    rows = [line.split("|", 2) for line in queue.splitlines()]
    submitted = {job: state for job, state, comment in rows if comment.startswith(COMMENTS)}
    return {
        job: state
        for job, state in submitted.items()
        if f" StdOut={logs}/" in _run("scontrol", "show", "job", "--oneliner", job)
    }


def _run(*command: str) -> str:
    """Output of one of Slurm's commands; empty, and reported on stderr, if it fails."""
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        _report(f"{command[0]} failed: {done.stderr.strip()}")
    return done.stdout


def _report(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
