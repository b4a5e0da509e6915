"""Run a job and record what it made: one JSON file, linked by hashes to the records of its inputs.

A record names the command, the cards, the digest of every module, the commit, the packages, the
machine, every input with its hash and the record that made it, and every output with its hash. Its
id is the hash of its own content, so a changed byte in a record shows too. Standard library only.

The record is written last and renamed into place: a job that was killed leaves none.
"""

import contextlib
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from thinslice.fs.atomic import remove_leftovers, sync, write_text
from thinslice.fs.locks import locked
from thinslice.provenance import duplicates, environment
from thinslice.provenance.code_digest import SOURCE, code_digest, module_digests
from thinslice.provenance.records import (
    FORMAT,
    link_to,
    record_id,
    record_text,
    sha256_of,
)

SCRIPTS = SOURCE.parent / "workflow_scripts"


@dataclass
class Job:
    """One running job; ``recorded_job`` makes it and writes its record."""

    rule: str
    cards: Mapping[str, Any]
    seed: int | None
    plugins: Sequence[str] = ()
    inputs: dict[str, dict[str, Any]] = field(default_factory=dict)
    outputs: dict[str, dict[str, Any]] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)

    def output(self, name: str, path: Path) -> None:
        """Hash one finished output for the record, after it has reached the disk.

        What killed writers of it left is removed: under the lock of the record no other writes it.
        """
        if path.is_file():  # a store syncs and tidies its own files
            remove_leftovers(path)
            sync(path)
        self.outputs[name] = {"path": str(path), "sha256": sha256_of(path)}

    def fact(self, name: str, value: Any) -> None:
        """Something measured while the job ran, e.g. seconds per case; JSON."""
        self.facts[name] = value

    def input_hashes(self) -> dict[str, str]:
        """SHA-256 of every input, by its name."""
        return input_hashes(self.inputs)

    def key(self) -> str:
        """Id of all that the results rest on, with what the record will say computed them; not of
        how many processes do."""
        content = {
            "cards": self.cards,
            "data": self.input_hashes(),
            "seed": self.seed,
            "code": modules_of(Path(sys.argv[0]).name, self.plugins),
            "packages": environment.versions(),
            "cpu": environment.machine()["cpu"],
        }
        return record_id(content)


@contextlib.contextmanager
def recorded_job(
    *records: Path,
    rule: str,
    cards: Mapping[str, Any],
    inputs: Mapping[str, Path],
    plugins: Sequence[str] = (),
    raw: Iterable[Path] = (),
    seed: int | None = None,
) -> Iterator[Job]:
    """Run a job's body under a lock on its record; write the record once the body has succeeded.

    A job that a killed run left running may produce the same results meanwhile, or have produced
    them before this run was planned: then this job ends at once, successfully.

    records    where the record goes (once beside each output of a job that makes two stores)
    inputs     files made by earlier jobs, by name; each must still be what its own record says
    plugins    dotted names of the modules that compute besides the script, e.g. behind the cards
    raw        files from outside the workflow, hashed as they are and named by their paths

    Raises BrokenLinkError if an input does not match its record.
    """
    started, clock = datetime.now(UTC), time.perf_counter()
    with locked(records[0]) as waited:
        for record in records:  # of a killed writer, also where there is nothing to write
            remove_leftovers(record)
        running = Job(rule, cards, seed, plugins)
        running.inputs |= {name: link_to(path) for name, path in inputs.items()}
        running.inputs |= {str(path): _raw(path) for path in raw}
        request = _request(running)
        if (waited and duplicates.already_done(records, request)) or duplicates.reclaim(
            records, request
        ):
            print(
                f"{records[0]} was already produced by a duplicate of this job",
                file=sys.stderr,
                flush=True,
            )
            raise SystemExit(0)
        yield running
        content = _content(running, started, time.perf_counter() - clock)
        text = record_text({"id": record_id(content), **content})
        for record in records:
            write_text(record, text)


def input_hashes(inputs: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """SHA-256 of every input of a record, by its name."""
    return {name: link["sha256"] for name, link in inputs.items()}


def _raw(path: Path) -> dict[str, Any]:
    return {"path": str(path), "sha256": sha256_of(path), "record": None, "record_id": None}


def _request(running: Job) -> dict[str, Any]:
    """What a job is to do, and with what: two jobs with the same request make the same results."""
    return {
        "format": FORMAT,
        "rule": running.rule,
        "script_code": script_digest(Path(sys.argv[0]).name),
        "plugins": list(running.plugins),
        "command": [Path(sys.argv[0]).name, *sys.argv[1:]],
        "cards": running.cards,
        "inputs": running.inputs,
        "seed": running.seed,
    }


def _content(running: Job, started: datetime, wall_s: float) -> dict[str, Any]:
    return {
        **_request(running),
        "outputs": running.outputs,
        "facts": running.facts,
        "modules": modules_of(Path(sys.argv[0]).name, running.plugins),
        "git": environment.git(),
        "packages": environment.versions(),
        "machine": environment.machine(),
        "started": started.isoformat(timespec="seconds"),
        "wall_s": round(wall_s, 3),
        "peak_memory_gib": environment.peak_memory_gib(),
    }


def script_digest(name: str) -> str | None:
    """Code digest of a workflow script with all it imports; None for any other command."""
    script = _script(name)
    return code_digest(script=script) if script else None


def modules_of(script: str, plugins: Sequence[str]) -> dict[str, str]:
    """Digest of each module behind a job: its script's, its plug-ins', and all they import."""
    return module_digests(*plugins, script=_script(script))


def _script(name: str) -> Path | None:
    script = SCRIPTS / name
    return script if script.suffix == ".py" and script.is_file() else None
