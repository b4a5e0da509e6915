"""A store is whole or refused: changed bytes, missing files, folders that are none."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thinslice import store
from thinslice.store import hashes
from thinslice.volume import Grid, Volume

GRID = Grid(n=5, increment_mm=1.0, thickness_mm=1.0, shape=(6, 7), pixel_mm=(0.7, 0.7))
FILES = [
    "a/0/c/0/0/0",
    "a/0/zarr.json",
    "a/zarr.json",
    "b/0/c/0/0/0",
    "b/0/zarr.json",
    "b/zarr.json",
    "manifest.json",
    "zarr.json",
]


def volume(seed: int) -> Volume:
    hu = np.random.default_rng(seed).integers(-1000, 1000, GRID.zyx)
    return Volume(hu.astype(np.float32), GRID)


def write(path: Path, seed: int = 0) -> Path:
    with store.writing(path) as writer:
        for k, case in enumerate("ab"):
            writer.add(case, volume(seed + k), split="test")
    return path


@pytest.fixture
def path(tmp_path) -> Path:
    return write(tmp_path / "a.zarr")


def flip(file: Path, at: int, by: int) -> None:
    raw = bytearray(file.read_bytes())
    raw[at] ^= by
    file.write_bytes(raw)


# -- changed bytes


def test_the_files_tampered_with_below_are_all_there_are(path):
    found = sorted(p.relative_to(path).as_posix() for p in path.rglob("*") if p.is_file())
    assert found == FILES
    assert store.verify(path, store.digest(path)) == []


@pytest.mark.parametrize("name", FILES)
@settings(max_examples=25, deadline=None)
@given(where=st.floats(0, 1, exclude_max=True), by=st.integers(1, 255))
def test_any_one_changed_byte_is_found_and_named(tmp_path_factory, name, where, by):
    path = tmp_path_factory.getbasetemp() / "tampered.zarr"
    if not path.exists():
        write(path)
    digest, at = store.digest(path), int(where * (path / name).stat().st_size)
    flip(path / name, at, by)
    try:
        with_digest, without = store.verify(path, digest), store.verify(path)
    finally:
        flip(path / name, at, by)
    assert with_digest[0].startswith(f"{name}: ")
    assert without
    if name != hashes.NAME:  # else a hash in it may also point at the file it was taken of
        assert [line.split(":")[0] for line in with_digest + without] == [name, name]
    assert store.verify(path, digest) == []


def test_every_byte_of_the_manifest_counts_even_without_a_digest(tmp_path):
    with store.writing(tmp_path / "a.zarr") as writer:
        writer.add("a", volume(0))
    file = tmp_path / "a.zarr" / hashes.NAME
    blind = []
    for at in range(file.stat().st_size):
        flip(file, at, 1)
        if not store.verify(tmp_path / "a.zarr"):
            blind.append(at)
        flip(file, at, 1)
    assert blind == []


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_found_and_named(path, name):
    (path / name).unlink()
    (line,) = store.verify(path)
    assert line.startswith(f"{name}: ")


@pytest.mark.parametrize("name", ["extra", "a/extra", "a/0/c/0/0/1", "a/.snakemake_timestamp"])
def test_an_added_file_is_found_and_named(path, name):
    (path / name).write_bytes(b"")
    assert store.verify(path) == [f"{name}: not in the manifest"]


def test_another_whole_store_is_not_the_expected_one(path, tmp_path):
    digest, other = store.digest(path), write(tmp_path / "b.zarr", seed=5)
    assert store.verify(other) == []
    (line,) = store.verify(other, digest)
    assert line.startswith("manifest.json: ")
    assert digest in line


def test_the_mark_of_snakemake_changes_nothing(path):
    digest = store.digest(path)
    (path / ".snakemake_timestamp").touch()
    assert store.verify(path, digest) == []
    assert store.open_store(path).cases() == ["a", "b"]
    assert store.digest(write(path)) == digest


@pytest.mark.parametrize("name", [name for name in FILES if name.startswith("a/")])
@pytest.mark.parametrize("harm", ["cut", "gone", "flipped"])
def test_a_damaged_case_is_refused_when_it_is_read_and_the_other_is_not(path, name, harm):
    whole = store.open_store(path).read("b").voxels
    if harm == "gone":
        (path / name).unlink()
    elif harm == "cut":
        os.truncate(path / name, (path / name).stat().st_size - 1)
    else:
        flip(path / name, 10, 1)
    damaged = store.open_store(path)
    with pytest.raises(store.StoreError, match=r"a/.*make the store again"):
        damaged.read("a")
    np.testing.assert_array_equal(damaged.read("b").voxels, whole)


# -- folders that are no store


def test_a_folder_that_is_no_store_is_neither_opened_nor_replaced(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(store.StoreError, match="not a thinslice store"):
        store.open_store(tmp_path)
    with pytest.raises(store.StoreError, match="not a thinslice store"):
        write(tmp_path)
    assert (tmp_path / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize(
    ("break_it", "said"),
    [
        (lambda path: path.rename(path.with_name("b.zarr")), "no store here; run"),
        (lambda path: (path / "manifest.json").unlink(), "never finished; make it again"),
        (lambda path: (path / "zarr.json").unlink(), "missing; make the store again"),
        (lambda path: (path / "manifest.json").write_text("{"), "damaged or not ours"),
        (lambda path: edit(path, version=7), "store version 7, this thinslice reads 1"),
        (lambda path: edit(path, format="other"), "not a thinslice store"),
        (lambda path: edit(path, more=1), "changed after it was written"),
    ],
)
def test_a_store_that_is_not_whole_is_refused_with_its_path_and_what_to_do(path, break_it, said):
    break_it(path)
    with pytest.raises(store.StoreError, match=said) as refused:
        store.open_store(path)
    assert str(path) in str(refused.value)


def edit(path: Path, **changes) -> None:
    file = path / hashes.NAME
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))


def test_an_unknown_case_is_refused_with_the_names_there_are(path):
    with pytest.raises(KeyError, match="no case 'c'; it has 2: a, b"):
        store.open_store(path).read("c")
