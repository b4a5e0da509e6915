"""A command that is asked to end ends as after Ctrl-C: in order, with a word, nothing half done."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

SIGNALS = (signal.SIGTERM, signal.SIGHUP)  # kill and schedulers; a terminal that was closed


class Stopped(KeyboardInterrupt):
    """Asked to end by a signal."""

    def __init__(self, number: int):
        super().__init__(signal.Signals(number).name)
        self.number = number


def status(stop: KeyboardInterrupt) -> int:
    """What a shell expects of a command that was ended so: 128 and the signal's number."""
    return 128 + (stop.number if isinstance(stop, Stopped) else signal.SIGINT)


@contextmanager
def answered() -> Iterator[None]:
    """Inside the block these signals raise ``Stopped``, but for those that somebody else answers.

    One that is ignored (``nohup``) stays ignored. Off the main thread nothing changes.
    """
    mine = []
    if threading.current_thread() is threading.main_thread():
        mine = [number for number in SIGNALS if signal.getsignal(number) is signal.SIG_DFL]
    for number in mine:
        signal.signal(number, _stop)
    try:
        yield
    finally:
        for number in mine:
            signal.signal(number, signal.SIG_DFL)


def _stop(number: int, frame: FrameType | None) -> NoReturn:
    raise Stopped(number)
