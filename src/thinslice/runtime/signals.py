"""Signals that stop a process: treated like Ctrl-C, and deferred until a training step ends.

``raise_on_stop`` makes SIGTERM and SIGHUP raise ``Stopped``: a command cleans up, reports and exits
with 128 + signal. ``deferred`` lets a step end first, so that what was learned is saved.
Signals are delivered to the main thread: elsewhere both change nothing. A signal that is ignored
(``nohup``) stays ignored.
"""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, NoReturn

STOPPING = tuple(  # kill and schedulers; a terminal that was closed, which Windows does not signal
    getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)
)
DEFERRED = (signal.SIGINT, *STOPPING)


class Stopped(KeyboardInterrupt):
    """A signal asked the process to end."""

    def __init__(self, number: int):
        super().__init__(signal.Signals(number).name)
        self.number = number


def status(stop: KeyboardInterrupt) -> int:
    """Exit status after a stop, as shells expect it: 128 + signal."""
    return 128 + (stop.number if isinstance(stop, Stopped) else signal.SIGINT)


@contextmanager
def raise_on_stop() -> Iterator[None]:
    """Raise ``Stopped`` on SIGTERM and SIGHUP in the block, unless another handler is installed."""
    numbers = []
    if _in_main_thread():
        numbers = [number for number in STOPPING if signal.getsignal(number) is signal.SIG_DFL]
    for number in numbers:
        signal.signal(number, _stop)
    try:
        yield
    finally:
        for number in numbers:
            signal.signal(number, signal.SIG_DFL)


@contextmanager
def deferred(*, wait: bool = True) -> Iterator[Callable[[], bool]]:
    """Defer signals that have a Python handler until the block ends; a second one is immediate.

    Yields a function that says whether one is waiting. A signal without a Python handler still
    ends the process at once.

    wait   false: nothing is deferred
    """
    waiting: list[int] = []
    handlers: dict[int, Callable[[int, FrameType | None], Any]] = {}

    def defer(number: int, frame: FrameType | None) -> None:
        if waiting:
            waiting.clear()
            handlers[number](number, frame)
        else:
            waiting.append(number)

    if wait and _in_main_thread():
        for number in DEFERRED:
            handler = signal.getsignal(number)
            if callable(handler):
                handlers[number] = handler
                signal.signal(number, defer)
    try:
        yield lambda: bool(waiting)
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    for number in waiting:
        handlers[number](number, None)


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()


def _stop(number: int, frame: FrameType | None) -> NoReturn:
    raise Stopped(number)
