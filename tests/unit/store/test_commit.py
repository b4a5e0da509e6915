"""Writing a store is all or nothing: kills, exceptions, failing renames, leftovers."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from thinslice import store
from thinslice.store import commit
from thinslice.volume import Grid, Volume

GRID = Grid(n=5, increment_mm=1.0, thickness_mm=1.0, shape=(6, 7), pixel_mm=(0.7, 0.7))


def volume(seed: int) -> Volume:
    hu = np.random.default_rng(seed).integers(-1000, 1000, GRID.zyx)
    return Volume(hu.astype(np.float32), GRID)


def write(path: Path, seed: int = 0) -> Path:
    with store.writing(path) as writer:
        writer.add("a", volume(seed))
    return path


@pytest.fixture
def path(tmp_path) -> Path:
    return write(tmp_path / "a.zarr")


KILLED = """
import os, random, shutil, signal, sys, time
from pathlib import Path
import numpy as np
from thinslice import store
from thinslice.volume import Grid, Volume

path, seed = Path(sys.argv[1]), int(sys.argv[2])
rng = random.Random(seed)
grid = Grid(n=40, increment_mm=1.0, thickness_mm=1.0, shape=(64, 64), pixel_mm=(0.7, 0.7))
hu = np.random.default_rng(0).integers(-1000, 1000, grid.zyx).astype(np.float32)
def fork(writes):
    child = os.fork()
    if child == 0:
        for n in range(writes):
            with store.writing(path) as writer:
                for k in range(3):
                    writer.add(f"case{k}", Volume(hu, grid), n=n)
        os._exit(0)
    return child

start = time.perf_counter()
os.waitpid(fork(1), 0)
once_s = time.perf_counter() - start  # zarr's own start included
states = []
for trial in range(20):
    if trial % 4 == 0:
        shutil.rmtree(path, ignore_errors=True)
    child = fork(10**6)
    time.sleep(once_s * (rng.uniform(0.2, 1.8) if trial < 19 else 8))  # one ends on a busy machine
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    try:
        opened = store.open_store(path)
        assert opened.cases() == ["case0", "case1", "case2"], opened.cases()
        assert len({opened.about(case)["n"] for case in opened.cases()}) == 1
        assert store.verify(path) == [], store.verify(path)
        states.append("whole")
    except store.StoreError:
        states.append("none")
    left = [p.name for p in path.parent.iterdir() if p != path]
    assert len(left) <= 2, left
with store.writing(path) as writer:
    writer.add("last", Volume(hu, grid))
assert [p.name for p in path.parent.iterdir()] == [path.name]
print(*states)
"""


def test_a_writer_killed_at_any_moment_leaves_an_older_store_or_none(tmp_path):
    run = [sys.executable, "-c", KILLED, str(tmp_path / "in" / "a.zarr"), "1"]
    done = subprocess.run(run, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    states = done.stdout.split()
    assert len(states) == 20
    assert "whole" in states


def test_an_exception_leaves_the_older_store_and_no_trace(path):
    digest = store.digest(path)

    def half() -> None:
        with store.writing(path) as writer:
            writer.add("c", volume(9))
            raise RuntimeError("on the way")

    with pytest.raises(RuntimeError, match="on the way"):
        half()
    assert store.digest(path) == digest
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("rename", [0, 1])
def test_a_rename_that_fails_leaves_the_older_store(path, monkeypatch, rename):
    digest, calls, really = store.digest(path), [], os.rename

    def failing(*args):
        calls.append(args)
        if len(calls) - 1 == rename:
            raise OSError("no")
        really(*args)

    monkeypatch.setattr(commit.os, "rename", failing)
    with pytest.raises(OSError, match="no"):
        write(path, seed=7)
    assert len(calls) > rename
    assert store.digest(path) == digest
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_an_older_store_is_replaced_whole(path):
    with store.writing(path) as writer:
        writer.add("only", volume(3))
    assert store.open_store(path).cases() == ["only"]
    assert store.verify(path) == []
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_nothing_stands_at_the_path_before_the_block_ends(tmp_path):
    with store.writing(tmp_path / "a.zarr") as writer:
        writer.add("a", volume(0))
        (partial,) = tmp_path.iterdir()
        assert partial.name.startswith("a.zarr.partial-")
        assert partial.name.endswith(f"-{os.getpid()}")
        with pytest.raises(store.StoreError, match="interrupted"):
            store.open_store(partial)
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.zarr"]


def test_a_store_of_no_case_is_whole(tmp_path):
    """The acquired thick series of scans that have none."""
    with store.writing(tmp_path / "a.zarr"):
        pass
    assert store.open_store(tmp_path / "a.zarr").cases() == []
    assert store.verify(tmp_path / "a.zarr") == []


def test_only_leftovers_of_dead_writers_of_this_store_and_machine_go(tmp_path):
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    here = commit.socket.gethostname()
    kept = [f"a.zarr.partial-elsewhere-{dead.pid}", f"b.zarr.partial-{here}-{dead.pid}"]
    kept.append(f"a.zarr.partial-{here}-{os.getppid()}")
    gone = [f"a.zarr.partial-{here}-{dead.pid}", f"a.zarr.partial-{here}-{dead.pid}-old"]
    for name in kept + gone:
        (tmp_path / name).mkdir()
    write(tmp_path / "a.zarr")
    assert sorted(entry.name for entry in tmp_path.iterdir()) == sorted([*kept, "a.zarr"])


def test_a_dead_writer_that_nobody_reaped_counts_as_dead(tmp_path):
    """Its process number is still taken: a job killed together with the process that began it."""
    dead = subprocess.Popen([sys.executable, "-c", ""])
    os.waitid(os.P_PID, dead.pid, os.WEXITED | os.WNOWAIT)  # dead, and left a zombie
    left = tmp_path / f"a.zarr{commit.MARK}{socket.gethostname()}-{dead.pid}"
    left.mkdir()
    write(tmp_path / "a.zarr")
    assert not left.exists()
    dead.wait()
