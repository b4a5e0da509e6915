"""Run jobs again in a scratch folder, and compare what they make with their records."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from thinslice.audit.rerun.steps import Step
from thinslice.errors import Refused
from thinslice.provenance.code_digest import SOURCE
from thinslice.provenance.job import SCRIPTS
from thinslice.provenance.records import read_record, record_path

THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")


def make(step: Step, run: Path, scratch: Path) -> list[str]:
    """Make what a job made, in ``scratch``; paths of results that are not bit-equal.

    run   the folder of the run, where raw files with relative paths lie

    Raises Refused if the job fails.
    """
    if step.as_input:
        _take(step, run, scratch)
        return []
    _link_raw(step, run, scratch)
    (scratch / step.record).parent.mkdir(parents=True, exist_ok=True)
    _run(step, scratch)
    return _unlike(step, scratch)


def _run(step: Step, scratch: Path) -> None:
    """Call the job's script as the workflow does, with as many threads."""
    script, *flags = step.command
    threads = flags[flags.index("--threads") + 1] if "--threads" in flags else "1"
    environment = {**os.environ, **dict.fromkeys(THREADS, threads), "PYTHONPATH": str(SOURCE)}
    command = [sys.executable, str(SCRIPTS / script), *flags]
    done = subprocess.run(command, cwd=scratch, env=environment, capture_output=True, text=True)
    if done.returncode:
        lines = (done.stderr.strip() or "no word of why").splitlines()
        raise Refused(f"{script} of {step.record} failed: {lines[-1]}")


def _link_raw(step: Step, run: Path, scratch: Path) -> None:
    """Raw files that a job names relative to the run's folder, where it will look for them."""
    for link in step.content["inputs"].values():
        path = Path(link["path"])
        if link["record"] is None and not path.is_absolute():
            (scratch / path).parent.mkdir(parents=True, exist_ok=True)
            if not (scratch / path).exists():
                (scratch / path).symlink_to((run / path).resolve())


def _take(step: Step, run: Path, scratch: Path) -> None:
    """Copy what a job made, and its record; the next job compares them."""
    for name in (str(step.record), *(made["path"] for made in step.content["outputs"].values())):
        (scratch / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(run / name, scratch / name)


def _unlike(step: Step, scratch: Path) -> list[str]:
    """Results, and raw files, whose hash is not that of the record."""
    made = step.content["outputs"].values()
    beside = [record_path(scratch / each["path"]) for each in made]
    records = [scratch / step.record, *beside]
    again = read_record(next(path for path in records if path.is_file()))
    then, now = _hashes(step.content), _hashes(again)
    return [path for path, sha256 in then.items() if now.get(path) != sha256]


def _hashes(content: Mapping[str, Any]) -> dict[str, str]:
    """Outputs and raw files by path; inputs that other jobs made are compared at those."""
    links = [*content["outputs"].values()]
    links += [link for link in content["inputs"].values() if link["record"] is None]
    return {link["path"]: link["sha256"] for link in links}
