"""Blocks read straight from shards are what zarr reads, and torn chunks are refused."""

import pickle
import shutil

import numpy as np
import pytest
import zarr
from zarr.storage import LocalStore

from thinslice import store
from thinslice.store.layout import StoreError
from thinslice.store.shards import Shards
from thinslice.volume import Grid, Padding, Volume

ZYX = (70, 150, 140)  # two shards along z, two chunks and a rest along each axis
GRID = Grid(n=ZYX[0], increment_mm=1.0, thickness_mm=1.0, shape=ZYX[1:], pixel_mm=(0.7, 0.7))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A store of a CT with a shard of zeros, an MR, and a padded CT."""
    path = tmp_path_factory.mktemp("shards") / "scans.zarr"
    rng = np.random.default_rng(0)
    hu = rng.integers(-1000, 2000, ZYX).astype(np.float32)
    hu[60:] = 0
    hu[:20, :70] = 0
    labels = np.zeros(ZYX, np.uint8)
    labels[:, :9] = 1
    with store.writing(path) as writer:
        writer.add("ct", Volume(hu, GRID))
        writer.add("mr", Volume(hu / 3, GRID, "MR"))
        writer.add("padded", Volume(hu, GRID).with_padding(Padding(labels, (-2000.0,))))
        writer.add("zeros", Volume(np.zeros(ZYX, np.float32), GRID))
    return path


@pytest.mark.parametrize("case", ["ct", "mr", "padded", "zeros"])
def test_any_block_is_what_zarr_reads(folder, case):
    scan = store.open_store(folder).scan(case)
    assert isinstance(scan.array, Shards)
    array = zarr.open_array(LocalStore(folder / case / "0"), mode="r")
    rng = np.random.default_rng(1)
    ends = [np.sort(rng.integers(-n, n + 5, (25, 2))) for n in ZYX]
    steps = rng.integers(1, 4, (25, 3))
    for k in range(25):
        block = tuple(slice(*map(int, ends[a][k]), int(steps[k, a])) for a in range(3))
        np.testing.assert_array_equal(scan.read(*block), array[block])
    np.testing.assert_array_equal(scan.read(), array[...])
    if case == "padded":
        assert scan.padded(slice(0, 1))[0, :, 0].sum() == 9


def test_a_reader_can_be_pickled(folder):
    scan = store.open_store(folder).scan("ct")
    again = pickle.loads(pickle.dumps(scan))
    np.testing.assert_array_equal(again.read(slice(30, 40)), scan.read(slice(30, 40)))


@pytest.mark.parametrize("where", ["first chunk", "index"])
def test_a_flipped_bit_is_refused_by_the_file(folder, tmp_path, where):
    copy = shutil.copytree(folder, tmp_path / "copy.zarr")
    file = copy / "ct" / "0" / "c" / "0" / "0" / "0"
    data = bytearray(file.read_bytes())
    data[200 if where == "first chunk" else -20] ^= 1
    file.write_bytes(data)
    with pytest.raises(StoreError, match=r"c/0/0/0: the checksum .* make the store again"):
        store.open_store(copy).scan("ct").read()


def test_a_shard_that_vanishes_is_refused_and_not_zeros(folder, tmp_path):
    copy = shutil.copytree(folder, tmp_path / "copy.zarr")
    scan = store.open_store(copy).scan("ct")
    (copy / "ct" / "0" / "c" / "0" / "0" / "0").unlink()
    with pytest.raises(StoreError, match=r"c/0/0/0: missing; make the store again"):
        scan.read()


def test_arrays_of_other_layouts_are_left_to_zarr(tmp_path):
    plain = zarr.create_array(LocalStore(tmp_path / "a"), shape=(4, 4, 4), dtype="int16")
    assert Shards.of(plain, tmp_path / "a", []) is None
    sharded = zarr.create_array(
        LocalStore(tmp_path / "b"),
        shape=(4, 4, 4),
        dtype="int16",
        chunks=(2, 2, 2),
        shards=(4, 4, 4),
    )
    assert Shards.of(sharded, tmp_path / "b", []) is None
