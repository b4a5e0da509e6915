"""Several processes for one job: started together, ended together.

The first to fail ends the others, and the job fails with what that one said. A process whose
launcher died, were it by kill -9, ends itself: the kernel closes the pipe that it watches.
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

GRACE_S = 1.0  # for the others of one that failed to show who was first
LONGEST = 12_000  # characters of what is said, twice: a pipe takes 64 kB before it is read


class EndedError(RuntimeError):
    """A process that failed or was killed; the message says which, and why."""


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
            with _environment(environ or {}):
                process.start()
            there.close()
            started.append((process, here))
        _until_done(started)
    finally:
        for process, _ in started:
            process.kill()
            process.join()


@contextmanager
def _environment(more: Mapping[str, str]) -> Iterator[None]:
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
        codes = [process.exitcode for process, _ in started]  # asked once: they may change
        if any(codes):
            time.sleep(GRACE_S)
            raise EndedError(_why(started))
        running = [process for (process, _), code in zip(started, codes) if code is None]


def _why(started: Sequence[tuple[BaseProcess, Connection]]) -> str:
    """What ended the job: a kill before an error, the first error before those that followed."""
    of = len(started)
    for i, (process, _) in enumerate(started):
        if (process.exitcode or 0) < 0:
            name = signal.Signals(-(process.exitcode or 0)).name
            return (
                f"process {i} of {of} (they count from 0) was killed by {name}, which may mean too "
                "little memory; the others were ended: run the same command to go on"
            )
    told = [(_told(here), i) for i, (_, here) in enumerate(started)]
    failures = [(failure, i) for failure, i in told if failure is not None]
    if not failures:
        codes = [process.exitcode for process, _ in started]
        return f"one of {of} processes ended without a word (exit codes {codes})"
    failure, i = min(failures)
    return f"{failure.trace}process {i} of {of} (they count from 0) failed: {failure.sentence}"


def _told(here: Connection) -> _Failure | None:
    try:
        return _Failure(*here.recv()) if here.poll() else None
    except EOFError:
        return None


def _run(task: Callable[[], None], there: Connection) -> None:
    """What a process does: the task, and if that fails, to say how."""
    Thread(target=_end_with_launcher, name="launcher", daemon=True).start()
    try:
        task()
    except BaseException as error:
        known = errors.known_reason(error)
        trace = "" if known else traceback.format_exc()
        sentence = known or traceback.format_exception_only(error)[-1].strip()
        there.send((time.monotonic(), trace[-LONGEST:], sentence[-LONGEST:]))
        sys.exit(1)


def _end_with_launcher() -> None:
    launcher = multiprocessing.parent_process()
    assert launcher is not None
    wait([launcher.sentinel])
    os._exit(1)
