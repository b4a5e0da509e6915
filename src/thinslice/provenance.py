"""What made a file: one record (JSON) per job, linked by hashes to the records of its inputs.

A record names the command, the cards, the code digest, the commit, the packages, the machine, every
input with its hash and the record that made it, and every output with its hash. Its id is the hash
of its own content, so a changed byte in a record shows too. Standard library only.

The record is written last and renamed into place: a job that was killed leaves none.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from thinslice.digest import SOURCE, code_digest

FORMAT = 1
SCRIPTS = SOURCE.parent / "workflow_scripts"
SUFFIX = ".record.json"
PACKAGES = (
    "thinslice", "torch", "numpy", "scipy", "pandas", "zarr", "dask", "pydicom", "nibabel",
    "SimpleITK", "opencv-python-headless", "matplotlib", "snakemake",
)  # fmt: skip


class BrokenLinkError(ValueError):
    """A file that is not what its record says; the message names it."""


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
            _synced(path)
        self.outputs.append({"path": str(path), "sha256": sha256(path)})

    def fact(self, name: str, value: Any) -> None:
        """Something measured while the job ran, e.g. seconds per case; JSON."""
        self.facts[name] = value


@contextlib.contextmanager
def job(
    *records: Path,
    rule: str,
    cards: Mapping[str, Any],
    inputs: list[Path],
    raw: list[Path] | None = None,
    seed: int | None = None,
) -> Iterator[Job]:
    """Run a job's body under a lock on its record; write the record once the body has succeeded.

    records    where the record goes (once beside each output of a job that makes two stores)
    inputs     files made by earlier jobs; each must still be what its own record says
    raw        files from outside the workflow, hashed as they are

    Raises BrokenLinkError if an input does not match its record.
    """
    started, clock = datetime.now(UTC), time.perf_counter()
    with locked(records[0]):
        running = Job(rule, cards, seed)
        running.inputs += [link(path) for path in inputs]
        running.inputs += [_raw(path) for path in raw or []]
        yield running
        content = _content(running, started, time.perf_counter() - clock)
        text = _text({"id": record_id(content), **content})
        for record in records:
            write_text(record, text)


def link(path: Path) -> dict[str, Any]:
    """An input's hash and the record that made it, checked against each other.

    An input may itself be a record, whose job reads what it names; that is checked alike.
    """
    if path.name.endswith(SUFFIX):
        record = read(path)
        for output in record["outputs"]:
            _unchanged(Path(output["path"]), path, output["sha256"])
        return _link(path, sha256(path), path, record)
    made_by = record_of(path)
    record = read(made_by)
    return _link(path, _unchanged(path, made_by, claim(record, path)), made_by, record)


def _unchanged(path: Path, record: Path, claimed: str) -> str:
    """The hash of a file, which is the one its record claims; BrokenLinkError if not."""
    if (found := sha256(path)) != claimed:
        raise BrokenLinkError(
            f"{path} is not what {record} says: sha256 {found[:12]}, recorded {claimed[:12]}; "
            "delete the record to have it made again"
        )
    return found


def _link(path: Path, sha256: str, record: Path, content: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "path": str(path),
        "sha256": sha256,
        "record": str(record),
        "record_id": content["id"],
    }


def claim(record: Mapping[str, Any], path: Path) -> str:
    """The hash a record gives for one of its outputs."""
    for output in record["outputs"]:
        if output["path"] == str(path):
            return output["sha256"]
    made = ", ".join(output["path"] for output in record["outputs"])
    raise BrokenLinkError(f"record {record['id']} made {made or 'nothing'}, not {path}")


def read(record: Path) -> dict[str, Any]:
    """One record; refuses a missing one, and one whose content does not match its id."""
    try:
        text = record.read_text(encoding="utf-8")
        content = json.loads(text)
        found = content.pop("id")
    except FileNotFoundError:
        raise BrokenLinkError(f"{record} is missing: nothing says how its data were made") from None
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise BrokenLinkError(
            f"{record} is not a record: {error}; delete it to have it made again"
        ) from None
    if record_id(content) != found or _text({"id": found, **content}) != text:
        raise BrokenLinkError(
            f"{record} was changed after it was written: its id {found} is not its own"
        )
    return {"id": found, **content}


def first_made(record: Path) -> Path:
    """The first file a job made, e.g. the CSV of a table, the PNG of a figure, the weights."""
    return Path(read(record)["outputs"][0]["path"])


def record_of(path: Path) -> Path:
    """Where the record of a result lies: beside it."""
    return path.with_suffix(SUFFIX)


def record_id(content: Mapping[str, Any]) -> str:
    """16 hex digits of the hash of a record's content."""
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()[:16]


def _text(record: Mapping[str, Any]) -> str:
    return json.dumps(record, indent=1, sort_keys=True) + "\n"


def sha256(path: Path) -> str:
    """Hash of a file, or of a store's manifest, which holds the hash of each of its files."""
    file = path / "manifest.json" if path.is_dir() else path
    if not file.is_file():
        raise BrokenLinkError(f"{path} is missing")
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def write_text(path: Path, text: str) -> None:
    """Write beside, then rename: a reader sees the old file or the whole new one, power cut or not.

    A write that fails, as on a full disk, leaves nothing beside.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.write_text(text, encoding="utf-8")
        _synced(beside)
        os.replace(beside, path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def _synced(path: Path) -> None:
    """Wait until a file is on the disk."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock of one result; waits while another job, orphaned or not, still writes it.

    The kernel releases it when the holder dies, however it dies.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_name(f".{path.name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"waiting: another job is writing {path}", file=sys.stderr, flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _raw(path: Path) -> dict[str, Any]:
    return {"path": str(path), "sha256": sha256(path), "record": None, "record_id": None}


def _content(running: Job, started: datetime, wall_s: float) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "rule": running.rule,
        "script_code": script_digest(Path(sys.argv[0]).name),
        "command": [Path(sys.argv[0]).name, *sys.argv[1:]],
        "cards": running.cards,
        "inputs": running.inputs,
        "outputs": running.outputs,
        "facts": running.facts,
        "seed": running.seed,
        "git": _git(),
        "packages": versions(),
        "machine": _machine(),
        "started": started.isoformat(timespec="seconds"),
        "wall_s": round(wall_s, 3),
        "peak_memory_gib": peak_memory_gib(),
    }


def script_digest(name: str) -> str | None:
    """Code digest of a workflow script with all it imports; None for any other command."""
    script = SCRIPTS / name
    return code_digest(script=script) if script.suffix == ".py" and script.is_file() else None


def peak_memory_gib() -> float:
    """Largest resident memory of this process so far, as the operating system counts it."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    unit = 1 if sys.platform == "darwin" else 1024  # macOS counts bytes, Linux KiB
    return round(peak * unit / 2**30, 4)


def _git() -> dict[str, Any]:
    """Commit and whether tracked files differ from it; nulls outside a checkout."""
    root = Path(__file__).resolve().parent

    def ask(*words: str) -> str | None:
        try:
            return subprocess.run(
                ["git", "--no-optional-locks", "-C", str(root), *words],
                capture_output=True,
                text=True,
                check=True,
            ).stdout.strip()
        except (OSError, subprocess.CalledProcessError):
            return None

    changed = ask("status", "--porcelain", "--untracked-files=no")
    return {"commit": ask("rev-parse", "HEAD"), "dirty": None if changed is None else bool(changed)}


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that compute, as installed here."""
    found = {}
    for name in PACKAGES:
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return {"python": platform.python_version(), **found}


def _machine() -> dict[str, Any]:
    return {
        "host": platform.node(),
        "system": platform.platform(terse=True),
        "cpu": _cpu_name(),
        "cores": os.cpu_count(),
        "slurm_job": os.environ.get("SLURM_JOB_ID"),
    }


def _cpu_name() -> str:
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()
