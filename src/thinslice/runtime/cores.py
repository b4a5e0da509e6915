"""How many cores are idle: threads that wait for cores which others use only slow a process down.

Two threads on two cores that other processes keep busy were three to thirteen times slower than
one, since each step waits for both. Standard library only.
"""

import os
import time
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

STAT = Path("/proc/stat")
QUOTAS = (Path("/sys/fs/cgroup/cpu.max"),)  # of a container: "200000 100000" are two cores
LEAST_S = 0.2  # of looking on
ROUNDING = 0.3  # of a core: what other processes may use without counting


class Watch(NamedTuple):
    """A moment, and what machine and process had used by then, in seconds of one core."""

    at_s: float
    idle_s: float | None  # None: the system does not count it
    ours_s: float

    @classmethod
    def start(cls) -> "Watch":
        """Begin now."""
        return cls(time.monotonic(), _idle_s(), time.process_time())

    def free_cores(self) -> int:
        """Cores that were idle since, or that this process used; at least one, at most those it
        may use."""
        time.sleep(max(0.0, self.at_s + LEAST_S - time.monotonic()))
        now = Watch.start()
        if self.idle_s is None or now.idle_s is None:
            return max(1, min(allowed(), round(cores() - _load())))
        ours_s = now.ours_s - self.ours_s
        free = (now.idle_s - self.idle_s + ours_s) / (now.at_s - self.at_s)
        return max(1, min(allowed(), int(free + ROUNDING)))


def cores() -> int:
    """Cores of the machine."""
    return os.cpu_count() or 1


def allowed() -> int:
    """Cores that this process may use: by its affinity, and by the quota of its container."""
    with suppress(AttributeError):  # macOS and Windows have no affinity
        return min(len(os.sched_getaffinity(0)), _quota())
    return cores()


def _quota() -> int:
    for path in QUOTAS:
        with suppress(OSError, ValueError):
            amount, period = path.read_text(encoding="ascii").split()
            return max(1, int(float(amount) / float(period))) if amount != "max" else cores()
    return cores()


def _idle_s() -> float | None:
    """Time that cores were idle since the machine started, all together."""
    with suppress(OSError, ValueError, IndexError):
        words = STAT.read_text(encoding="ascii").split("\n", 1)[0].split()
        return (int(words[4]) + int(words[5])) / os.sysconf("SC_CLK_TCK")
    return None


def _load() -> float:
    with suppress(AttributeError, OSError):
        return os.getloadavg()[0]
    return 0.0
