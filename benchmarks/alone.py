"""Measure kinds of one task, each run in a process of its own, all kinds in turn, as one table.

A benchmark calls itself with ``--only TASK KIND OUT`` and prints one row; ``compare`` collects the
medians. In a process of its own a kind meets a fresh heap, and its peak of memory is its own.
"""

import json
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from measuring import Seconds, cpu_seconds


def peak_mib() -> float:
    """Peak resident memory of this process."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measured_alone(function: Callable[[], Any]) -> tuple[Any, dict[str, float]]:
    """What a call returns; its CPU seconds, and by how much it raised the peak of memory."""
    before = peak_mib()
    seconds, result = cpu_seconds(function)
    return result, {**seconds._asdict(), "mib": peak_mib() - before}


def printed(row: Mapping[str, float]) -> None:
    """A row, for ``compare``."""
    print(json.dumps(row))


def compare(
    title: str,
    script: str,
    task: str,
    kinds: Sequence[str],
    rounds: int,
    differences: Callable[[Path, Path], str],
) -> dict[str, Seconds]:
    """Print a table of all kinds against the first; their median seconds.

    differences   of two files of outputs, as the table shows them
    """
    print(f"\n| {title} | user, s | system | MiB | user | user + system | difference |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    seconds: dict[str, Seconds] = {}
    with tempfile.TemporaryDirectory() as folder:
        paths = {kind: Path(folder) / f"{n}.pt" for n, kind in enumerate(kinds)}
        runs = [
            {kind: _row(script, task, kind, paths[kind]) for kind in kinds} for _ in range(rounds)
        ]
        for kind in kinds:
            row = {
                part: statistics.median(run[kind][part] for run in runs)
                for part in ("user", "system", "mib")
            }
            seconds[kind] = Seconds(row["user"], row["system"])
            base = seconds[kinds[0]]
            apart = "" if kind == kinds[0] else differences(paths[kind], paths[kinds[0]])
            times = f"{base.user / row['user']:.2f}x | {base.ratio(seconds[kind]):.2f}x"
            numbers = f"{row['user']:.2f} | {row['system']:.2f} | {row['mib']:.0f}"
            print(f"| {kind} | {numbers} | {times} | {apart} |", flush=True)
    return seconds


def _row(script: str, task: str, kind: str, out: Path) -> dict[str, float]:
    """One run in its own process."""
    command = [sys.executable, script, *sys.argv[1:], "--only", task, kind, str(out)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{kind} {task} failed with {done.returncode}: {done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])
