"""A results folder made fit to be planned from, at the last moment before a run plans.

Only what makes something does it. Commands that look (a dry run, ``--summary``, ``--report``,
``--dag``, ``--lint``) and ``--unlock`` leave the folder as it is, and wait for nobody. Standard
library only.
"""

import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

from thinslice.workflow.recovery import clock, orphans, run_lock, slurm_jobs, stale


def before(execute: Callable[..., Any], results: Path, memory: Path) -> Callable[..., Any]:
    """Snakemake's own ``execute``, which plans and runs, with the folder settled first.

    It is what every command that makes something comes to, and none that only looks. SystemExit
    with one line where the folder cannot be settled.
    """

    @wraps(execute)
    def settled(*given: Any, **named: Any) -> Any:
        try:
            for line in settle(results, memory):
                print(line, file=sys.stderr)
        except (ValueError, OSError) as refusal:
            sys.exit(f"refused: {refusal}")
        return execute(*given, **named)

    return settled


def settle(results: Path, memory: Path) -> list[str]:
    """Settle a folder that no other driver works in; what was done, a line each.

    memory    .snakemake, where Snakemake keeps what it knows of the results
    """
    said: list[str] = []
    with run_lock.idle(str(results)) as alone:
        if alone:
            slurm_jobs.settle(memory / "slurm_logs")
            if run_lock.was_killed(str(results)):
                said += _of(orphans.set_aside(results, memory / "metadata"))
            said += stale.forget(results)
            said += clock.catch_up(results)
    return said


def _of(aside: list[Path]) -> list[str]:
    if not aside:
        return []
    return [f"{len(aside)} results were finished after their run was killed: kept for their jobs"]
