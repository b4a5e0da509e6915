"""The learning curve: one CSV row per few steps, appended as the training goes.

    step, loss, val, lr, wall_s, speed, waiting, precision, activations, room_mib

``loss`` is the mean since the row before, ``val`` empty where no validation was made, ``wall_s``
the seconds of training so far over all its runs, ``speed`` the steps per second and ``waiting`` the
share of the time spent waiting for batches, both since the row before; ``precision`` and the others
are a ``Manner``. A resumed training drops the rows past the step it resumes from, so no step
appears twice.
A training of several stages has one curve: ``join_stages``.
"""

import csv
import os
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

from thinslice.fs.atomic import write_text

COLUMNS = "step,loss,val,lr,wall_s,speed,waiting,precision,activations,room_mib"


class Manner(NamedTuple):
    """How a machine computed the steps of a training.

    precision    of the products: ``fp32``, ``tf32`` or ``bf16``, whatever the settings ask for
    activations  what blocks need again in their backward pass: ``kept``, ``recomputed``, or ``kept
                 in part``; empty where the network has no such blocks
    room_mib     MiB that they could keep; None likewise
    """

    precision: str = ""
    activations: str = ""
    room_mib: int | None = None


UNSAID = Manner()


class Curve:
    """The curve's file, open for appending; rows up to step ``after`` are kept."""

    def __init__(self, path: Path, after: int = 0):
        self.path = path
        write_text(path, "".join(f"{line}\n" for line in [COLUMNS, *rows_up_to(path, after)]))
        self._file = path.open("a")

    def add(
        self,
        step: int,
        loss: float,
        val: float | None,
        lr: float,
        wall_s: float,
        speed: float,
        waiting: float = 0.0,
        manner: Manner = UNSAID,
    ) -> None:
        """Append one row; numbers that must repeat exactly are written in full."""
        shown = "" if val is None else repr(val)
        how = ",".join("" if part is None else str(part) for part in manner)
        numbers = f"{step},{loss!r},{shown},{lr!r},{wall_s:.2f},{speed:.3f},{waiting:.3f}"
        self._file.write(f"{numbers},{how}\n")
        self._file.flush()

    def sync(self) -> None:
        """Sync the rows to the disk, before a checkpoint that depends on them."""
        os.fsync(self._file.fileno())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()


def rows_up_to(path: Path, after: int) -> list[str]:
    """Complete rows of an earlier run, up to and including step ``after``."""
    if after == 0 or not path.exists():
        return []
    lines = path.read_text().split("\n")[1:-1]  # what follows the last newline was torn off
    whole = [line for line in lines if line.count(",") == COLUMNS.count(",")]
    return [line for line in whole if int(line.split(",", 1)[0]) <= after]


def training_seconds(path: Path) -> float:
    """Seconds that the training of a curve took over all its runs: the sum over its stages."""
    with path.open(newline="") as file:
        last = {row.get("stage", ""): float(row["wall_s"]) for row in csv.DictReader(file)}
    return sum(last.values())


def waiting_share(path: Path) -> float:
    """Share of the training of a curve that was spent waiting for batches; NaN if it took none."""
    waited_s, wall_s, ended_s = 0.0, 0.0, {}
    with path.open(newline="") as file:
        for row in csv.DictReader(file):
            stage, now_s = row.get("stage", ""), float(row["wall_s"])
            passed_s = max(0.0, now_s - ended_s.get(stage, 0.0))
            waited_s, wall_s = waited_s + float(row["waiting"]) * passed_s, wall_s + passed_s
            ended_s[stage] = now_s
    return waited_s / wall_s if wall_s else float("nan")


def manner_facts(path: Path) -> dict[str, Any]:
    """How the training of a curve was computed, for its record; what no row says is left out.

    A training that went on elsewhere may have several precisions or choices of activations, in the
    order of its steps; ``activations_room_mib`` is its largest. The curve of a plug-in may lack
    these columns.
    """
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    facts: dict[str, Any] = {}
    for name in ("precision", "activations"):
        words = dict.fromkeys(row[name] for row in rows if row.get(name))
        facts |= {name: ", ".join(words)} if words else {}
    rooms = [int(row["room_mib"]) for row in rows if row.get("room_mib")]
    return facts | ({"activations_room_mib": max(rooms)} if rooms else {})


def join_stages(curves: Mapping[str, Path], out: Path) -> Path:
    """Write the rows of all curves to ``out``, in order, with a first column ``stage``; ``out``.

    ValueError where two curves have different columns.
    """
    heads: dict[str, str] = {}
    rows: list[str] = []
    for stage, path in curves.items():
        heads[stage], *lines = path.read_text().splitlines()
        rows += [f"{stage},{line}" for line in lines]
    if len(set(heads.values())) != 1:
        raise ValueError(f"stages have curves of different columns: {heads}")
    head = next(iter(heads.values()))
    write_text(out, "".join(f"{line}\n" for line in [f"stage,{head}", *rows]))
    return out
