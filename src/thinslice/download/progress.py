"""What a download says while it runs: plain lines, for a log as much as for a person."""

import sys
import time


def say(line: str) -> None:
    """A line for whoever watches."""
    print(line, file=sys.stderr, flush=True)


class Progress:
    """A line every few seconds: how much of how much, how fast."""

    def __init__(self, name: str, start: int, total: int | None, every_s: float):
        self.name, self.total, self.every_s = name, total, every_s
        self.last = self.begun = time.monotonic()
        self.start = start

    def at(self, size: int) -> None:
        """So many bytes are there."""
        now = time.monotonic()
        if now - self.last < self.every_s:
            return
        self.last = now
        of = f" of {self.total / 1e6:.1f} MB ({size / self.total:.0%})" if self.total else " MB"
        rate = (size - self.start) / 1e6 / (now - self.begun)
        say(f"{self.name}: {size / 1e6:.1f}{of}, {rate:.1f} MB/s")
