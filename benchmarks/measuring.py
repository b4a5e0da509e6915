"""CPU seconds of this process, user and system apart, of several functions in turn.

On a shared machine wall seconds say what the neighbours did; CPU seconds of one thread, measured
A B A B in one process, say what the code did. ``reached`` prints a line that ``bench.py`` reads.
"""

import os
import statistics
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple


class Seconds(NamedTuple):
    """CPU seconds."""

    user: float
    system: float

    @property
    def total(self) -> float:
        """Both together."""
        return self.user + self.system

    def plus(self, other: "Seconds") -> "Seconds":
        """The sum of both."""
        return Seconds(self.user + other.user, self.system + other.system)

    def times(self, factor: float) -> "Seconds":
        """So many times as long."""
        return Seconds(self.user * factor, self.system * factor)

    def ratio(self, other: "Seconds") -> float:
        """How many times the other's seconds these are."""
        return self.total / other.total


def cpu_seconds(function: Callable[[], Any]) -> tuple[Seconds, Any]:
    """CPU seconds of this process in one call, and what the call returned."""
    before = os.times()
    result = function()
    after = os.times()
    return Seconds(after.user - before.user, after.system - before.system), result


def alternately(functions: Mapping[str, Callable[[], Any]], times: int) -> dict[str, Seconds]:
    """Median CPU seconds of each function, every one called ``times``, in turn."""
    measured: dict[str, list[Seconds]] = {name: [] for name in functions}
    for _ in range(times):
        for name, function in functions.items():
            measured[name].append(cpu_seconds(function)[0])
    return {
        name: Seconds(*(statistics.median(part) for part in zip(*each)))
        for name, each in measured.items()
    }


def table(seconds: Mapping[str, Seconds], scale: float, unit: str) -> str:
    """A Markdown table: user, system, and how many times the first row's sum."""
    first = next(iter(seconds.values()))
    rows = [f"| | user, {unit} | system | times the first |", "|---|---:|---:|---:|"]
    for name, each in seconds.items():
        numbers = f"{each.user * scale:.3g} | {each.system * scale:.2g} | {each.ratio(first):.1f}x"
        rows.append(f"| {name} | {numbers} |")
    return "\n".join(rows)


def reached(aim: str, value: float, unit: str = "x") -> None:
    """Print what was reached of an aim; ``bench.py`` collects such lines."""
    print(f"reached | {aim} | {value:.3g}{unit}")
