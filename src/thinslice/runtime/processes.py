"""Run one job in several processes that start and end together.

The first to fail ends the others, and the job fails with its error. A process whose parent died,
even by kill -9, ends itself: the kernel closes the pipe that it watches.
"""

import multiprocessing
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from threading import Thread
from typing import NamedTuple

from thinslice import errors

GRACE_S = 1.0  # after a failure, for the others to report whether they failed earlier
LONGEST = 12_000  # characters of a report, sent twice: a pipe holds 64 kB before it is read


class EndedError(RuntimeError):
    """A process failed or was killed; the message says which, and why.

    No ThinsliceError: it may carry the traceback of a bug.
    """


class _Failure(NamedTuple):
    at_s: float  # monotonic, the same clock in every process of a machine
    trace: str
    sentence: str


def together(tasks: Sequence[Callable[[], None]], environ: Mapping[str, str] | None = None) -> None:
    """Run each task in a fresh process of its own until all are done.

    Tasks travel to their processes, so they are functions of a module, or partials of such.
    EndedError as soon as one fails or is killed; none of them runs on after that.

    environ   variables that the processes find set before they import anything
    """
    context = multiprocessing.get_context("spawn")
    started: list[tuple[BaseProcess, Connection]] = []
    try:
        for task in tasks:
            here, there = context.Pipe(duplex=False)
            process = context.Process(target=_run, args=(task, there), daemon=True)
            with environment(environ or {}):
                process.start()
            there.close()
            started.append((process, here))
        _until_done(started)
    finally:
        for process, _ in started:
            process.kill()
            process.join()


@contextmanager
def environment(more: Mapping[str, str]) -> Iterator[None]:
    """Variables that processes started inside the block find set."""
    before = dict(os.environ)
    os.environ.update(more)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _until_done(started: Sequence[tuple[BaseProcess, Connection]]) -> None:
    running = [process for process, _ in started]
    while running:
        wait([process.sentinel for process in running])
        codes = [process.exitcode for process, _ in started]  # read once: they may change
        if any(codes):
            time.sleep(GRACE_S)
            raise EndedError(_why(started))
        running = [process for (process, _), code in zip(started, codes) if code is None]


def _why(started: Sequence[tuple[BaseProcess, Connection]]) -> str:
    """Why the job ended: a kill rather than an error, the first error rather than later ones."""
    of = len(started)
    for i, (process, _) in enumerate(started):
        if (process.exitcode or 0) < 0:
            name = signal.Signals(-(process.exitcode or 0)).name
            return (
                f"process {i} of {of} (they count from 0) was killed by {name}, which may mean too "
                "little memory; the others were ended: run the same command again to resume"
            )
    reports = [(_report(here), i) for i, (_, here) in enumerate(started)]
    failures = [(failure, i) for failure, i in reports if failure is not None]
    if not failures:
        codes = [process.exitcode for process, _ in started]
        return f"one of {of} processes ended without a report (exit codes {codes})"
    failure, i = min(failures)
    return f"{failure.trace}process {i} of {of} (they count from 0) failed: {failure.sentence}"


def _report(here: Connection) -> _Failure | None:
    try:
        return _Failure(*here.recv()) if here.poll() else None
    except EOFError:
        return None


def _run(task: Callable[[], None], there: Connection) -> None:
    """Run the task in its process; report an error to the parent."""
    end_with_parent()
    try:
        task()
    except BaseException as error:
        known = errors.known_reason(error)
        trace = "" if known else traceback.format_exc()
        sentence = known or traceback.format_exception_only(error)[-1].strip()
        there.send((time.monotonic(), trace[-LONGEST:], sentence[-LONGEST:]))
        sys.exit(1)


def end_with_parent() -> None:
    """Let this process end itself when its parent does, even by kill -9."""
    Thread(target=_wait_for_parent, name="parent", daemon=True).start()


def _wait_for_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    wait([parent.sentinel])
    os._exit(1)
