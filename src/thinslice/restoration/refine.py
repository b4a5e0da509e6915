"""Go on learning from the scan itself before it is restored: --refine 60s, --refine 500steps.

A number of steps gives the same weights bit for bit, on CPUs of one kind with as many threads; a
time does not. So a time becomes a number of steps: the first steps are timed on a copy, the number
is fixed, and the statement names it. A killed command that is run again keeps the number.
"""

import copy
import csv
import hashlib
import json
import re
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from thinslice.errors import Refused, refused
from thinslice.fs.atomic import write_text
from thinslice.interfaces import Method, Run
from thinslice.volume import Volume

TIMED = 24  # steps, of which the second half counts
UNITS = {"s": 1.0, "sec": 1.0, "min": 60.0, "m": 60.0, "h": 3600.0}
AMOUNT = re.compile(r"(\d+(?:\.\d+)?)\s*(s|sec|m|min|h)|(\d+)\s*steps?", re.IGNORECASE)
DECIDED = "refine.json"


class Budget(NamedTuple):
    """How long to go on learning: ``steps``, or so many ``seconds``."""

    steps: int | None
    seconds: float | None

    @classmethod
    def of(cls, text: str) -> "Budget":
        """60s, 2min, 500steps; Refused (a ValueError) for anything else."""
        found = AMOUNT.fullmatch(text.strip())
        budget = cls(None, None)
        if found and found[3]:
            budget = cls(int(found[3]), None)
        elif found:
            budget = cls(None, float(found[1]) * UNITS[found[2].lower()])
        if not (budget.steps or budget.seconds):
            raise Refused(f"{text!r} is no time and no number of steps; write 60s or 500steps")
        return budget

    def __str__(self) -> str:
        return f"{self.steps}steps" if self.steps else f"{self.seconds:g}s"


class Refined(NamedTuple):
    """What was done, and what repeats it."""

    steps: int
    lr: float
    threads: int
    wall_s: float

    @property
    def repeat(self) -> str:
        """Options that give the same bits again."""
        return f"--refine {self.steps}steps --threads {self.threads}"

    def to_json(self) -> dict[str, Any]:
        """Plain numbers and words."""
        return {**self._asdict(), "wall_s": round(self.wall_s, 3), "repeat": self.repeat}


def refuse_unfit(name: str, method: Method, thick: Volume) -> None:
    """Refuse a method that cannot go on learning, and a scan that it cannot learn from."""
    if not hasattr(method, "refine"):
        expected = "a method that goes on learning, such as conditioned_unet"
        raise refused(name, "no way to refine it", expected, "leave out --refine")
    method.refuse_unfit(thick)  # pyright: ignore[reportAttributeAccessIssue]


def refined(method: Any, thick: Volume, budget: Budget, run: Run) -> tuple[Any, Refined]:
    """A copy of the method that has learned from ``thick``, and what was done.

    Resumes from checkpoints in ``run.work``.
    """
    import torch  # where something learns it is loaded anyway

    learner, started = copy.deepcopy(method), time.monotonic()
    with _folder(run) as work:
        steps = budget.steps or _decided(work, learner, thick, budget, run)
        learner.refine(thick, steps, work=work, run=run)
    threads = run.threads or torch.get_num_threads()
    return learner, Refined(steps, learner.refine_lr, threads, time.monotonic() - started)


def _decided(work: Path, method: Any, thick: Volume, budget: Budget, run: Run) -> int:
    """Steps that fit into the time; of an earlier call for the same scan and time its own."""
    file, key = work / DECIDED, _key(method, thick, budget)
    decided = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    if key not in decided:
        work.mkdir(parents=True, exist_ok=True)
        steps = _steps_in(float(budget.seconds or 0), copy.deepcopy(method), thick, run)
        decided = {**decided, key: steps}
        write_text(file, json.dumps(decided))
    return int(decided[key])


def _key(method: Any, thick: Volume, budget: Budget) -> str:
    """Hash of what the number of steps is decided for: a folder may serve several scans."""
    words = [method.about.title, method.parameters(), thick.grid.to_json(), str(budget)]
    digest = hashlib.sha256(json.dumps(words, sort_keys=True).encode())
    digest.update(np.ascontiguousarray(thick.voxels).tobytes())
    return digest.hexdigest()[:16]


def _steps_in(seconds: float, method: Any, thick: Volume, run: Run) -> int:
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="thinslice-") as folder:
        curve = method.refine(thick, TIMED, work=Path(folder), run=replace(run, progress=False))
        with open(curve, newline="", encoding="utf-8") as file:
            speeds = [float(row["speed"]) for row in csv.DictReader(file)]
    left_s = seconds - (time.monotonic() - started)
    return max(1, int(left_s * float(np.median(speeds[TIMED // 2 :]))))


@contextmanager
def _folder(run: Run) -> Iterator[Path]:
    """Folder of checkpoints: that of the run, else a temporary one."""
    if run.work is not None:
        yield run.work
        return
    with tempfile.TemporaryDirectory(prefix="thinslice-") as folder:
        yield Path(folder)
