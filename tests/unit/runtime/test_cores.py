"""Threads: never more than the cores that are idle, and those that this process may use."""

import pytest

from thinslice.runtime import cores
from thinslice.runtime.cores import Watch


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """Eight cores, and a clock on which ten seconds pass."""
    monkeypatch.setattr(cores.os, "cpu_count", lambda: 8)
    monkeypatch.setattr(cores.os, "sched_getaffinity", lambda pid: set(range(8)))
    monkeypatch.setattr(cores, "QUOTAS", (tmp_path / "cpu.max",))
    monkeypatch.setattr(cores.time, "monotonic", lambda: 10.0)
    return monkeypatch


def free(machine, idle_s, ours_s):
    """Free cores, where all cores were idle ``idle_s`` in ten seconds and we used ``ours_s``."""
    machine.setattr(cores, "_idle_s", lambda: idle_s)
    machine.setattr(cores.time, "process_time", lambda: ours_s)
    start = 0.0 if idle_s is not None else None
    return Watch(0.0, start, 0.0).free_cores()


@pytest.mark.parametrize(
    ("idle_s", "ours_s", "expected"),
    [
        (70.0, 10.0, 8),  # nothing but this process
        (68.0, 9.5, 8),  # and the usual little
        (40.0, 10.0, 5),  # three busy ones
        (0.0, 10.0, 1),  # full, one core ours
        (0.0, 4.0, 1),  # overfull
    ],
)
def test_idle_cores_and_our_own_are_free(machine, idle_s, ours_s, expected):
    assert free(machine, idle_s, ours_s) == expected


def test_affinity_and_quota_are_kept(machine, tmp_path):
    (tmp_path / "cpu.max").write_text("250000 100000\n")
    assert free(machine, 70.0, 10.0) == 2
    (tmp_path / "cpu.max").write_text("max 100000\n")
    assert free(machine, 70.0, 10.0) == 8
    machine.setattr(cores.os, "sched_getaffinity", lambda pid: {0, 1, 2})
    assert free(machine, 70.0, 10.0) == 3


def test_without_proc_the_load_counts(machine):
    machine.setattr(cores.os, "getloadavg", lambda: (5.9, 0, 0))
    assert free(machine, None, 10.0) == 2
    machine.setattr(cores.os, "getloadavg", lambda: (30.0, 0, 0))
    assert free(machine, None, 10.0) == 1


def test_the_real_machine_has_a_core():
    assert 1 <= Watch.start().free_cores() <= cores.allowed()
