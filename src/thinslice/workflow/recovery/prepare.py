"""Preparation of a results folder, just before a run plans. Standard library only.

Only commands that make something prepare it. Those that look (a dry run, ``--summary``,
``--report``, ``--dag``, ``--lint``) and ``--unlock`` leave the folder as it is.
"""

from pathlib import Path

from thinslice.workflow.recovery import clock, orphans, run_lock, slurm_jobs, stale
from thinslice.workflow.recovery.snakemake_state import SnakemakeState


def prepare(results: Path, state: SnakemakeState) -> list[str]:
    """Prepare a folder in which no other run works; what was done, one line each."""
    lines: list[str] = []
    with run_lock.idle(results) as is_idle:
        if is_idle:
            slurm_jobs.wait_or_cancel(state.slurm_logs)
            if run_lock.was_killed(results):
                lines += _summary(orphans.set_aside(results, state))
            lines += stale.invalidate(results)
            lines += clock.clamp_to_now(results)
    return lines


def _summary(aside: list[Path]) -> list[str]:
    if not aside:
        return []
    return [f"{len(aside)} results were finished after their run was killed: kept for their jobs"]
