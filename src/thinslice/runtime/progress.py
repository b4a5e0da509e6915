"""Show progress in words: one moving line on a terminal, a plain line now and then in a log."""

import os
import sys
from itertools import pairwise
from time import monotonic
from typing import Self

LINE_EVERY_S = 5.0  # in a log, in the first minute; later more rarely
RARER = ((60.0, 1), (3600.0, 6), (float("inf"), 60))  # until when, and how much more rarely
REDRAWN_EVERY_S = 0.1  # on a terminal
COLUMNS = 80  # of a terminal that does not know its width
UNITS = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))


class Progress:
    """Counts up to ``total`` on stderr, with the time left, the speed and a note."""

    def __init__(self, total: int, title: str, unit: str, *, shown: bool = True, done: int = 0):
        self._title, self._total, self._unit, self._note = title, total, unit, ""
        self._shown, self._live, self._drawn = shown, sys.stderr.isatty(), False
        self._n, self._start = done, done
        self._begun = self._last = monotonic()

    def advance(self, by: int = 1, note: str = "") -> None:
        """Count ``by`` more as done; ``note`` is shown beside the count until the next note."""
        self._n += by
        self._note = note or self._note
        now = monotonic()
        if self._shown and now - self._last >= self._every_s(now - self._begun):
            self._last = now
            self._show(now - self._begun)

    def _every_s(self, spent_s: float) -> float:
        if self._live:
            return REDRAWN_EVERY_S
        return LINE_EVERY_S * next(times for until_s, times in RARER if spent_s < until_s)

    def _show(self, spent_s: float) -> None:
        line = self._line(spent_s)
        if not self._live:
            print(line, file=sys.stderr, flush=True)
            return
        self._drawn = True
        print(f"\r{line[: _columns() - 1]}\x1b[K", end="", file=sys.stderr, flush=True)

    def _line(self, spent_s: float) -> str:
        speed = (self._n - self._start) / max(spent_s, 1e-9)
        left = f", {in_words((self._total - self._n) / speed)} left" if speed > 0 else ""
        rate = f"{speed:.3g} a second" if speed >= 1 else f"{1 / max(speed, 1e-9):.3g} s each"
        beside = ", ".join(filter(None, [rate if speed > 0 else "", self._note]))
        counted = f"{self._title}: {self._unit} {self._n} of {self._total}{left}"
        return f"{counted} ({beside})" if beside else counted

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._drawn:
            self._show(monotonic() - self._begun)
            print(file=sys.stderr, flush=True)


def in_words(seconds: float) -> str:
    """A duration as a person says it: 14 s, 3 min 20 s, 3 h 47 min, 2 d 4 h."""
    left = max(0, round(seconds))
    for (size, unit), (smaller, name) in pairwise(UNITS):
        if left >= size:
            rest = left % size // smaller
            return f"{left // size} {unit} {rest} {name}" if rest else f"{left // size} {unit}"
    return f"{left} s"


def _columns() -> int:
    """Columns of the terminal; a pseudo-terminal may say 0."""
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns or COLUMNS
    except (OSError, ValueError):  # a stderr without a descriptor
        return COLUMNS
