"""Print the progress of a download as plain lines, for logs as well as terminals."""

import sys
import time


def say(line: str) -> None:
    """Print one line to stderr."""
    print(line, file=sys.stderr, flush=True)


class Progress:
    """Print a line every few seconds: bytes, total and rate."""

    def __init__(self, name: str, start: int, total: int | None, every_s: float):
        self.name, self.total, self.every_s = name, total, every_s
        self.last = self.start_s = time.monotonic()
        self.start = start

    def at(self, size: int) -> None:
        """Report that ``size`` bytes have arrived."""
        now = time.monotonic()
        if now - self.last < self.every_s:
            return
        self.last = now
        of = f" of {self.total / 1e6:.1f} MB ({size / self.total:.0%})" if self.total else " MB"
        rate = (size - self.start) / 1e6 / (now - self.start_s)
        say(f"{self.name}: {size / 1e6:.1f}{of}, {rate:.1f} MB/s")
