"""Share cases between this process and fresh ones beside it, each taking the next that is left.

This process computes too, and another is started only once what is left takes longer than its
start: imports cost about a CPU second, more than all cases of a small job. Every process has one
thread. Others end when this one does, even by kill -9.
"""

import multiprocessing
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from threading import Condition, Event
from time import monotonic
from typing import Generic, TypeVar

from thinslice.runtime.processes import EndedError, end_with_parent, environment

ONE_THREAD: dict[str, str] = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"
)
START_S = 1.0  # that a process takes to start and import
POLL_S = 0.05

T = TypeVar("T")
Compute = Callable[[str], T]  # travels to processes, so a function of a module


def shared(compute: Compute[T], cases: Sequence[str], n: int) -> list[T]:
    """What ``compute`` gives for every case, in their order, by at most ``n`` processes.

    EndedError where one of them is killed: cases begun by then are lost or finished, others are
    not begun. What ``compute`` raises here ends the others.
    """
    line: _Line[T] = _Line(cases)
    with environment(ONE_THREAD), _beside(line, compute, n - 1):
        while (case := line.take()) is not None:
            line.put(case, compute(case))
    return [line.results[case] for case in cases]


class _Line(Generic[T]):
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


@contextmanager
def _beside(line: _Line[T], compute: Compute[T], n: int) -> Iterator[None]:
    """Up to ``n`` processes that take cases; all are done after the block, or killed by its
    failure or their own."""
    started: list[BaseProcess] = []
    ended = Event()
    with ThreadPoolExecutor(n, "cases") as pool:
        threads = [pool.submit(_feed, line, compute, started, ended) for _ in range(n)]
        try:
            yield
            for thread in threads:
                thread.result()
        except BaseException:
            ended.set()
            raise
        finally:
            line.close()
            if ended.is_set():
                for process in started:
                    process.kill()


def _feed(line: _Line[T], compute: Compute[T], started: list[BaseProcess], ended: Event) -> None:
    """Start a process where it pays, and give it one case after another."""
    if not line.long_enough():
        return
    spawn = multiprocessing.get_context("spawn")
    here, there = spawn.Pipe()
    process = spawn.Process(target=_serve, args=(compute, there))
    process.start()
    started.append(process)
    there.close()
    try:
        with here:
            while not here.poll(POLL_S):
                if line.empty():  # all were taken meanwhile
                    process.kill()
                    return
            here.recv()
            while not ended.is_set() and (case := line.take()) is not None:
                here.send(case)
                line.put(case, here.recv())
    except (EOFError, OSError):
        line.close()
        process.join()  # for its exit code
        raise EndedError(_why(process)) from None
    finally:
        process.join()


def _serve(compute: Compute[T], there: Connection) -> None:
    """Say that the imports are done, and compute the cases that come, until no more do."""
    end_with_parent()
    with there, suppress(EOFError):
        there.send(None)
        while True:
            there.send(compute(there.recv()))


def _why(process: BaseProcess) -> str:
    code = process.exitcode or 0
    how = "was killed, which may mean too little memory" if code < 0 else f"ended itself ({code})"
    kept = "cases that were finished are kept: run the same command again to go on"
    return f"a process of this job {how}; {kept}"
