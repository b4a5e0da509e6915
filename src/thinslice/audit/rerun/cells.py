"""Which cells to make again, and the stamp of one that was."""

import random
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from thinslice.audit import question, upstream
from thinslice.audit.rerun import agreement, scratch, steps
from thinslice.columns import SCORED_BY
from thinslice.errors import Refused
from thinslice.provenance import environment
from thinslice.provenance.records import read_record
from thinslice.provenance.reruns import Stamp


def of_record(record: Path, row: int | None) -> list[Path]:
    """Score records that a result rests on: of a table's row, of a table, a page, or itself.

    Refused where there is none.
    """
    from thinslice.audit.verify import scores_of

    subject = question.of_record(record, record, row, "")
    wanted = set(scores_of(subject))
    behind = upstream.contents(record)
    cells = [path for path, content in behind.items() if content["rule"] in SCORED_BY]
    if wanted:
        cells = [path for path in cells if behind[path]["id"] in wanted]
    if not cells:
        raise Refused(f"{record} rests on no scored cell: name a table, the report or scores")
    return sorted(cells)


def sample(cells: list[Path], count: int, seed: int) -> list[Path]:
    """Draw cells; all of them where there are not more."""
    if count < 1:
        raise Refused(f"--sample {count}: found fewer than one cell; expected 1 or more")
    return sorted(random.Random(seed).sample(cells, min(count, len(cells))))


class Rerun:
    """Cells made again in one scratch folder; a job that several of them share runs once."""

    def __init__(self, run: Path, folder: Path, *, keep_weights: bool = False) -> None:
        self.run, self.folder, self.keep_weights = run, folder, keep_weights
        self.unlike: dict[str, list[str]] = {}  # by the id of a record

    def stamp(self, score: Path, show: Callable[[str], None]) -> Stamp:
        """Make a cell again and say how far it agrees."""
        started = time.perf_counter()
        jobs = steps.of_cell(score, keep_weights=self.keep_weights)
        for step in jobs:
            if step.content["id"] not in self.unlike:
                unlike = scratch.make(step, self.run, self.folder)
                self.unlike[step.content["id"]] = unlike
                state = "kept" if step.as_input else "differs" if unlike else "bit-equal"
                show(f"{step.content['rule']} {step.record}: {state}")
        content = read_record(score)
        path = Path(content["outputs"]["scores"]["path"])
        trained = any(step.content["rule"] in steps.FITTING and not step.as_input for step in jobs)
        again = self.folder / path
        return {
            "record": content["id"],
            "cell": str(path),
            "date": datetime.now(UTC).isoformat(timespec="seconds"),
            "agreement": agreement.word(self.run / path, again, content, trained=trained),
            "largest": _finite(agreement.differences(self.run / path, again)),
            "unlike": [path for step in jobs for path in self.unlike[step.content["id"]]],
            "jobs": len(jobs),
            "trained": trained,
            "wall_s": round(time.perf_counter() - started, 1),
            "machine": environment.machine(),
            "git": environment.git(),
            "packages": environment.versions(),
        }


def _finite(largest: dict[str, float]) -> dict[str, Any]:
    """JSON knows no infinity: one is the largest number there is."""
    return {unit: min(value, 1.7e308) for unit, value in sorted(largest.items())}
