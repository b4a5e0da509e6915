"""Share cases between this process and others or threads beside it; each takes the next one left.

This process computes too, and another is started only once what is left takes longer than its
start: imports cost about a CPU second, more than all cases of a small job. Every process has one
thread. Others end when this one does, even by kill -9. Threads cost nothing to start; they are for
cases that spend their time outside Python's lock, in libraries that allow it.
"""

import multiprocessing
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from threading import Condition, Event
from time import monotonic
from typing import Any, Generic, TypeVar

from thinslice.runtime.processes import EndedError, end_with_parent, environment

ONE_THREAD: dict[str, str] = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"
)
START_S = 1.0  # that a process takes to start and import
POLL_S = 0.05

T = TypeVar("T")
Compute = Callable[[str], T]  # travels to processes, so a function of a module


def shared(
    compute: Compute[T], cases: Sequence[str], n: int, beside: "Beside | None" = None
) -> list[T]:
    """What ``compute`` gives for every case, in their order, here and by n - 1 ``beside``.

    EndedError where a process is killed: cases begun by then are lost or finished, others are not
    begun. What ``compute`` raises here ends the others.

    beside   ``process``, the default, or ``thread``
    """
    line: Line[T] = Line(cases)
    with environment(ONE_THREAD), _beside(line, compute, n - 1, beside or process):
        thread(line, compute, Started())
    return [line.results[case] for case in cases]


class Line(Generic[T]):
    """Cases that nobody has taken yet, and results; for several threads."""

    def __init__(self, cases: Sequence[str]) -> None:
        self.results: dict[str, T] = {}
        self._left = deque(cases)
        self._changed = Condition()
        self._began_s = monotonic()

    def take(self) -> str | None:
        """The next case, nobody else's from now on; None: there is none left."""
        with self._changed:
            return self._left.popleft() if self._left else None

    def empty(self) -> bool:
        """Whether every case is taken."""
        return not self._left

    def put(self, case: str, result: T) -> None:
        """The result of a case."""
        with self._changed:
            self.results[case] = result
            self._changed.notify_all()

    def close(self) -> None:
        """Leave what nobody has taken."""
        with self._changed:
            self._left.clear()
            self._changed.notify_all()

    def long_enough(self) -> bool:
        """Wait until the cases that are left take longer than starting a process; False: never.

        Before the first is finished, a case takes at least as long as it has taken until now.
        """
        with self._changed:
            while self._left:
                each_s = (monotonic() - self._began_s) / (len(self.results) or 1)
                if each_s * len(self._left) > START_S:
                    return True
                self._changed.wait(POLL_S)
            return False


@dataclass
class Started:
    """Processes of a job."""

    processes: list[BaseProcess] = field(default_factory=list)
    ended: Event = field(default_factory=Event)  # by a failure: no more cases

    def kill(self) -> None:
        """End them all; those that just start get no case."""
        self.ended.set()
        for each in self.processes:
            each.kill()


Beside = Callable[[Line[Any], Compute[Any], Started], None]


@contextmanager
def _beside(line: Line[T], compute: Compute[T], n: int, beside: Beside) -> Iterator[None]:
    """Others that take cases; all are done after the block, or ended by its failure or theirs."""
    started = Started()
    with ThreadPoolExecutor(n, "cases") as pool:
        try:
            waiting = [pool.submit(beside, line, compute, started) for _ in range(n)]
            yield
            for each in waiting:
                each.result()
        except BaseException:
            started.kill()
            raise
        finally:
            line.close()


def thread(line: Line[T], compute: Compute[T], started: Started) -> None:
    """Compute one case after another in this thread."""
    while not started.ended.is_set() and (case := line.take()) is not None:
        line.put(case, compute(case))


def process(line: Line[T], compute: Compute[T], started: Started) -> None:
    """Start a process where it pays, and give it one case after another."""
    if not line.long_enough():
        return
    spawn = multiprocessing.get_context("spawn")
    here, there = spawn.Pipe()
    other = spawn.Process(target=_serve, args=(compute, there))
    other.start()
    started.processes.append(other)
    there.close()
    try:
        with here:
            while not here.poll(POLL_S):
                if line.empty():  # all were taken meanwhile
                    other.kill()
                    return
            here.recv()
            thread(line, partial(_elsewhere, here), started)
    except (EOFError, OSError):
        line.close()
        other.join()  # for its exit code
        raise EndedError(_why(other)) from None
    finally:
        other.join()


def _elsewhere(here: Connection, case: str) -> Any:
    """The result of a case, by the process at the other end."""
    here.send(case)
    return here.recv()


def _serve(compute: Compute[T], there: Connection) -> None:
    """Say that the imports are done, and compute the cases that come, until no more do."""
    end_with_parent()
    with there, suppress(EOFError):
        there.send(None)
        while True:
            there.send(compute(there.recv()))


def _why(other: BaseProcess) -> str:
    code = other.exitcode or 0
    how = "was killed, which may mean too little memory" if code < 0 else f"ended itself ({code})"
    kept = "cases that were finished are kept: run the same command again to go on"
    return f"a process of this job {how}; {kept}"
