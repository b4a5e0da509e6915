"""Answers to SIGINT and SIGHUP as in a terminal, wherever the tests run.

What starts under nohup or in the background of a script ignores them: tests, and the commands that
tests start, included.
"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager

ANSWERS = {signal.SIGINT: signal.default_int_handler, signal.SIGHUP: signal.SIG_DFL}


@contextmanager
def of_a_terminal() -> Iterator[None]:
    """Inside the block this process answers them as one started in a terminal does."""
    before = {number: signal.signal(number, answer) for number, answer in ANSWERS.items()}
    try:
        yield
    finally:
        for number, answer in before.items():
            signal.signal(number, answer)


def answer_all() -> None:
    """For ``preexec_fn``: the command starts as in a terminal."""
    for number in ANSWERS:
        signal.signal(number, signal.SIG_DFL)


def ignore_all() -> None:
    """For ``preexec_fn``: the command starts as under nohup in the background of a script."""
    for number in ANSWERS:
        signal.signal(number, signal.SIG_IGN)
