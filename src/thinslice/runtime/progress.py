"""Show progress: one moving line on a terminal, a plain line now and then in a log."""

import sys
from time import monotonic
from typing import Self

from tqdm import tqdm

LINE_EVERY_S = 5.0


class Progress:
    """Counts up to ``total`` on stderr, with speed, time left and a note."""

    def __init__(self, total: int, title: str, unit: str, *, shown: bool = True, done: int = 0):
        live = sys.stderr.isatty()
        self._title, self._total, self._unit, self._note = title, total, unit, ""
        self._every_s = None if live or not shown else LINE_EVERY_S
        self._last = monotonic()
        self._bar = tqdm(
            total=total,
            desc=title,
            unit=unit,
            initial=done,
            disable=not (shown and live),
            file=sys.stderr,
            dynamic_ncols=True,
        )
        self._n, self._start, self._begun = done, done, monotonic()

    def advance(self, by: int = 1, note: str = "") -> None:
        """Count ``by`` more as done; ``note`` is shown beside the count until the next note."""
        self._n += by
        self._note = note or self._note
        self._bar.set_postfix_str(self._note, refresh=False)
        self._bar.update(by)
        now = monotonic()
        if self._every_s is not None and now - self._last >= self._every_s:
            self._last = now
            print(self._line(now - self._begun), file=sys.stderr, flush=True)

    def _line(self, spent_s: float) -> str:
        speed = (self._n - self._start) / max(spent_s, 1e-9)
        left_s = (self._total - self._n) / max(speed, 1e-9)
        counted = f"{self._title}: {self._n}/{self._total} {self._unit}"
        note = f", {self._note}" if self._note else ""
        return f"{counted}, {speed:.2f}/s, {left_s:.0f} s left{note}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()
