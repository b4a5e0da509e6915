"""Whole cases of a writer that died are taken over by the next of the same key, and no other."""

import errno
import os
import signal
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest

from thinslice import store
from thinslice.errors import Refused, known_reason
from thinslice.store import whole_cases
from thinslice.volume import Grid, Volume

GRID = Grid(n=9, increment_mm=1.0, thickness_mm=1.0, shape=(12, 10), pixel_mm=(0.7, 0.7))


def scan(seed: int) -> Volume:
    hu = np.random.default_rng(seed).integers(-1000, 1000, GRID.zyx)
    return Volume(hu.astype(np.float32), GRID)


def add_two_and_die(path: Path, key: str) -> None:
    with store.writing(path, key) as writer:
        writer.elsewhere.add("a", scan(0), split="test")
        writer.elsewhere.add("b", scan(1), split="train")
        os.kill(os.getpid(), signal.SIGKILL)


@pytest.fixture
def killed(tmp_path) -> Path:
    """Where a writer with the key "k" was killed after two cases."""
    path = tmp_path / "a.zarr"
    process = get_context("fork").Process(target=add_two_and_die, args=(path, "k"))
    process.start()
    process.join()
    return path


def whole(path: Path) -> str:
    """Digest of the three cases, written without interruption."""
    with store.writing(path) as writer:
        for n, (case, split) in enumerate({"a": "test", "b": "train", "c": "val"}.items()):
            writer.add(case, scan(n), split=split)
    return store.digest(path)


def test_killed_equals_unkilled(killed, tmp_path):
    with store.writing(killed, "k") as writer:
        assert writer.cases == {"a", "b"}
        writer.elsewhere.add("c", scan(2), split="val")
        writer.include()
    assert store.digest(killed) == whole(tmp_path / "b.zarr")
    assert store.verify(killed) == []
    assert not list(killed.parent.glob("a.zarr.partial-*"))


@pytest.mark.parametrize("key", ["other", None])
def test_another_request_takes_nothing_over_and_removes_what_is_left(killed, key):
    with store.writing(killed, key) as writer:
        assert writer.cases == set()
        writer.add("c", scan(2))
    assert store.open_store(killed).cases() == ["c"]
    assert not list(killed.parent.glob("a.zarr.partial-*"))


def test_a_case_that_changed_since_is_made_again(killed):
    (partial,) = killed.parent.glob("a.zarr.partial-*")
    file = next(file for file in (partial / "a" / "0").rglob("*") if file.name != "zarr.json")
    while file.is_dir():
        file = next(file.iterdir())
    file.write_bytes(file.read_bytes()[:-1] + b"\0")
    with store.writing(killed, "k") as writer:
        assert writer.cases == {"b"}
        writer.elsewhere.add("a", scan(0))
        writer.include()
    assert np.array_equal(store.open_store(killed).read("a").voxels, scan(0).voxels)


def test_a_writer_that_fails_leaves_its_whole_cases_and_one_without_any_nothing(tmp_path):
    path = tmp_path / "a.zarr"
    with pytest.raises(ValueError, match="other scan"):
        add_and_refuse(path)
    (partial,) = path.parent.glob("a.zarr.partial-*")
    assert whole_cases.read(partial, "k") == {"a": None}
    with pytest.raises(ValueError, match="is made of"), store.writing(path, "other") as writer:
        writer.elsewhere.add("Not a name", scan(0))
    assert not list(path.parent.iterdir())


def add_and_refuse(path: Path) -> None:
    with store.writing(path, "k") as writer:
        writer.elsewhere.add("a", scan(0))
        raise ValueError("other scan")


def test_a_full_disk_gets_back_what_whole_cases_take(tmp_path):
    """The error of one write, or the refusal of a case that several workers' job ends with."""
    full = OSError(errno.ENOSPC, "No space left on device")
    for error in (full, Refused(known_reason(full))):
        with pytest.raises(type(error)), store.writing(tmp_path / "a.zarr", "k") as writer:
            writer.elsewhere.add("a", scan(0))
            raise error
        assert not list(tmp_path.iterdir())


def test_what_a_worker_writes_after_its_store_was_taken_over_is_never_whole(killed):
    """As one of a cluster, whose job was killed: it still has the name of the folder."""
    (partial,) = killed.parent.glob("a.zarr.partial-*")
    with store.writing(killed, "k") as writer:
        voxels = partial / "c" / "0" / "c" / "0"
        voxels.mkdir(parents=True)
        (voxels / "0").write_bytes(b"the second half of a case")
        with pytest.raises(store.StoreError, match="another writer took it over"):
            whole_cases.mark(partial, "c", "k", "test")
        writer.include()
    with store.writing(killed, "k") as writer:
        assert writer.cases == set()
        writer.elsewhere.add("c", scan(2))
        writer.include()
    assert np.array_equal(store.open_store(killed).read("c").voxels, scan(2).voxels)
    assert not list(killed.parent.glob("a.zarr.partial-*"))


@pytest.mark.parametrize("file", ["zarr.json", "0/c/0/0/0"])
def test_a_case_that_another_worker_tore_is_named(tmp_path, file):
    """As one that was thought dead, and cleans up what it could not finish."""
    path = tmp_path / "a.zarr"
    with pytest.raises(store.StoreError, match="written twice at once: a;"):
        add_and_tear(path, file)
    assert not path.exists()


def add_and_tear(path: Path, file: str) -> None:
    with store.writing(path, "k") as writer:
        writer.elsewhere.add("a", scan(0))
        writer.elsewhere.add("b", scan(1))
        writer.include()
        (writer.elsewhere.folder / "a" / file).unlink()
