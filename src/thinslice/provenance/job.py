"""What made a file: one record (JSON) per job, linked by hashes to the records of its inputs.

A record names the command, the cards, the code digest, the commit, the packages, the machine, every
input with its hash and the record that made it, and every output with its hash. Its id is the hash
of its own content, so a changed byte in a record shows too. Standard library only.

The record is written last and renamed into place: a job that was killed leaves none.
"""

import contextlib
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from thinslice.fs.atomic import sync, write_text
from thinslice.fs.locks import locked
from thinslice.provenance import duplicates, environment
from thinslice.provenance.code_digest import SOURCE, code_digest
from thinslice.provenance.environment import peak_memory_gib, versions
from thinslice.provenance.records import (
    link_to,
    record_id,
    record_text,
    sha256_of,
)

FORMAT = 1
SCRIPTS = SOURCE.parent / "workflow_scripts"


@dataclass
class Job:
    """One running job; ``provenance.job`` makes it and writes its record."""

    rule: str
    cards: Mapping[str, Any]
    seed: int | None
    inputs: list[dict[str, Any]] = field(default_factory=list)
    outputs: list[dict[str, Any]] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)

    def output(self, path: Path) -> None:
        """Hash one finished output, to be named in the record; it reaches the disk first."""
        if path.is_file():  # a store sees to its own
            sync(path)
        self.outputs.append({"path": str(path), "sha256": sha256_of(path)})

    def fact(self, name: str, value: Any) -> None:
        """Something measured while the job ran, e.g. seconds per case; JSON."""
        self.facts[name] = value


@contextlib.contextmanager
def recorded_job(
    *records: Path,
    rule: str,
    cards: Mapping[str, Any],
    inputs: list[Path],
    raw: list[Path] | None = None,
    seed: int | None = None,
) -> Iterator[Job]:
    """Run a job's body under a lock on its record; write the record once the body has succeeded.

    A job whose results were made meanwhile by its own double, started by a driver that was killed,
    ends at once, as done: they stand where it had to wait for the lock, or were put aside.

    records    where the record goes (once beside each output of a job that makes two stores)
    inputs     files made by earlier jobs; each must still be what its own record says
    raw        files from outside the workflow, hashed as they are

    Raises BrokenLinkError if an input does not match its record.
    """
    started, clock = datetime.now(UTC), time.perf_counter()
    with locked(records[0]) as waited:
        running = Job(rule, cards, seed)
        running.inputs += [link_to(path) for path in inputs]
        running.inputs += [_raw(path) for path in raw or []]
        asked = _asked(running)
        if (waited and duplicates.stands(records, asked)) or duplicates.taken_back(records, asked):
            print(f"{records[0]} was made meanwhile, by the same job", file=sys.stderr, flush=True)
            raise SystemExit(0)
        yield running
        content = _content(running, started, time.perf_counter() - clock)
        text = record_text({"id": record_id(content), **content})
        for record in records:
            write_text(record, text)


def _raw(path: Path) -> dict[str, Any]:
    return {"path": str(path), "sha256": sha256_of(path), "record": None, "record_id": None}


def _asked(running: Job) -> dict[str, Any]:
    """What a job is asked to do, and with what: two that agree in it make the same."""
    return {
        "format": FORMAT,
        "rule": running.rule,
        "script_code": script_digest(Path(sys.argv[0]).name),
        "command": [Path(sys.argv[0]).name, *sys.argv[1:]],
        "cards": running.cards,
        "inputs": running.inputs,
        "seed": running.seed,
    }


def _content(running: Job, started: datetime, wall_s: float) -> dict[str, Any]:
    return {
        **_asked(running),
        "outputs": running.outputs,
        "facts": running.facts,
        "git": environment.git(),
        "packages": versions(),
        "machine": environment.machine(),
        "started": started.isoformat(timespec="seconds"),
        "wall_s": round(wall_s, 3),
        "peak_memory_gib": peak_memory_gib(),
    }


def script_digest(name: str) -> str | None:
    """Code digest of a workflow script with all it imports; None for any other command."""
    script = SCRIPTS / name
    return code_digest(script=script) if script.suffix == ".py" and script.is_file() else None
