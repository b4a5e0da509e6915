"""Ctrl-C that waits for the end of a step, so that what was learned can be saved before leaving."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

DEFERRED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def deferred(*, wait: bool = True) -> Iterator[Callable[[], bool]]:
    """Signals that would raise in the block wait until it ends; yields whether one does.

    They are those that Python code answers: Ctrl-C as a rule, SIGTERM and SIGHUP where a command
    says so; one that kills outright still does. The second does not wait. Nothing is held off the
    main thread, which alone gets signals, or where ``wait`` is false.
    """
    waiting: list[int] = []
    answers: dict[int, Callable[[int, FrameType | None], Any]] = {}

    def hold(number: int, frame: FrameType | None) -> None:
        if waiting:
            waiting.clear()
            answers[number](number, frame)
        else:
            waiting.append(number)

    if wait and threading.current_thread() is threading.main_thread():
        for number in DEFERRED:
            answer = signal.getsignal(number)
            if callable(answer):
                answers[number] = answer
                signal.signal(number, hold)
    try:
        yield lambda: bool(waiting)
    finally:
        for number, answer in answers.items():
            signal.signal(number, answer)
    for number in waiting:
        answers[number](number, None)
