"""One function over many cases: here, in several processes of this machine, or on a dask cluster.

Cases are independent and are written by whoever computes them, so results are the same for any
number of workers. A case that fails does not stop the others: they are finished first, and then all
failures are raised together, each with its case. The kill of a process does stop them. What was
finished stays where there is a ``Kept`` folder, so the same job, run again, goes on from there.
"""

import contextlib
import hashlib
import os
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from threading import Lock
from typing import Any, NamedTuple

from thinslice.errors import Refused, all_refused, in_case, known_reason
from thinslice.fs.hashing import sha256_of_file
from thinslice.provenance import environment as surroundings
from thinslice.provenance.code_digest import SOURCE
from thinslice.runtime.kept_results import Kept
from thinslice.runtime.processes import EndedError
from thinslice.runtime.shared_cases import Beside, process, shared

ONE_AT_A_TIME = Lock()  # of a dask worker's threads
CONNECT_S = 30
IDLE = ("matplotlib", "snakemake")  # packages that compute no case
LONGEST = 12_000  # characters of a bug's traceback

Task = Callable[[str], Any]  # of a case's name; travels to processes, so a function of a module


@dataclass(frozen=True)
class Workers:
    """Who computes the cases of a job.

    n          processes or threads of this machine at most; the first is the job's own
    scheduler  address of a dask scheduler, which goes before: its workers see the same files, have
               and are refused if their thinslice or their packages are not those of this job
    """

    n: int = 1
    scheduler: str | None = None


class _Outcome(NamedTuple):
    case: str
    result: Any = None
    reason: str = ""  # one line, of a failure that a person can act on
    trace: str = ""  # of any other


def over_cases(
    task: Task,
    cases: Sequence[str],
    workers: Workers,
    kept: Kept | None = None,
    beside: Beside = process,
) -> list[Any]:
    """Results of ``task`` in the order of ``cases``.

    kept     where results of a killed job lie, and those of this one are put, JSON; None: nowhere
    beside   what other workers of this machine are: see ``shared_cases``

    Refused where cases are refused, EndedError with the traceback where one of them met a bug;
    either only when all others are finished. EndedError too where a process of this machine is
    killed: cases that nobody had begun by then are not begun.
    """
    results = kept.read(cases) if kept else {}
    missing = [case for case in cases if case not in results]
    failures = []
    for outcome in _outcomes(partial(_attempt, task, kept), missing, workers, beside):
        if outcome.reason or outcome.trace:
            failures.append(outcome)
        else:
            results[outcome.case] = outcome.result
    if failures:
        raise _error_of(failures)
    return [results[case] for case in cases]


def _attempt(task: Task, kept: Kept | None, case: str) -> _Outcome:
    """One case; what it raises becomes text, since not every exception survives the journey."""
    try:
        with in_case(case):
            result = task(case)
        return _Outcome(case, kept.write(case, result) if kept else result)
    except Exception as error:
        reason = known_reason(error) or ""
        trace = "" if reason else "".join(traceback.format_exception(error))[-LONGEST:]
        return _Outcome(case, None, reason, trace)


def _outcomes(
    attempt: Callable[[str], _Outcome], cases: Sequence[str], workers: Workers, beside: Beside
) -> Iterable[_Outcome]:
    if workers.scheduler and cases:
        return _on_cluster(attempt, cases, workers.scheduler)
    if workers.n > 1 and len(cases) > 1:
        return shared(attempt, cases, min(workers.n, len(cases)), beside)
    return map(attempt, cases)


def _error_of(failures: Sequence[_Outcome]) -> Exception:
    if all(each.reason for each in failures):
        return all_refused([Refused(each.reason) for each in failures])
    traces = [each.trace or f"{each.reason}\n" for each in failures]
    names = ", ".join(each.case for each in failures)
    return EndedError("".join(traces) + f"cases that failed: {names}; the others are finished")


def _on_cluster(
    attempt: Callable[[str], _Outcome], cases: Sequence[str], address: str
) -> Iterator[_Outcome]:
    """On the workers of a dask cluster; a case whose worker dies is given to another."""
    try:
        from distributed import Client, as_completed  # pyright: ignore[reportMissingImports]
    except ImportError as error:
        advice = "pip install 'thinslice[cluster]', or set dask_scheduler to null"
        raise Refused(f"dask_scheduler: distributed is not installed; {advice}") from error
    try:
        client = Client(address, timeout=CONNECT_S, set_as_default=False)
    except (OSError, ValueError) as error:
        why = f"no dask scheduler answers at {address!r} ({error})"
        raise Refused(f"dask_scheduler: {why}; start it, or correct the address") from error
    with client:
        checked = partial(_by_same_code, attempt, _digest(), os.getcwd())
        futures = {client.submit(checked, case, pure=False): case for case in cases}
        for future in as_completed(futures, loop=client.loop):
            error = future.exception()
            failed = error and _Outcome(futures[future], reason=_of_cluster(error))
            yield failed or future.result()


def _of_cluster(error: BaseException) -> str:
    return " ".join(f"dask cluster: {type(error).__name__}: {error}".split())


def _by_same_code(
    attempt: Callable[[str], _Outcome], digest: str, folder: str, case: str
) -> _Outcome:
    """The record will name this job's code and packages: a worker with others must not compute.

    Paths of a job are relative to its folder, and a process has one, so cases go one at a time.
    """
    if _digest() != digest:
        why = (
            "this dask worker has another thinslice, Python or packages than the job; start it "
            "from the same checkout and environment"
        )
        return _Outcome(case, reason=f"case {case}: {why}")
    with ONE_AT_A_TIME, contextlib.chdir(folder):
        return attempt(case)


@cache
def _digest() -> str:
    """SHA-256 of every file of the package, plug-ins too, and of the versions that compute."""
    versions = surroundings.versions().items()
    computing = sorted((name, version) for name, version in versions if name not in IDLE)
    digest = hashlib.sha256(repr(computing).encode())
    for file in sorted((SOURCE / "thinslice").rglob("*.py")):
        digest.update(f"{file.relative_to(SOURCE).as_posix()} {sha256_of_file(file)}\n".encode())
    return digest.hexdigest()
