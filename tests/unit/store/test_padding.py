"""Stores keep padding beside filled voxels, and stores without any are what they were."""

import numpy as np
import pytest

from support.padded_scans import THICK, THIN, as_in_file, outside, patient
from thinslice import store
from thinslice.io import files
from thinslice.io.padding import with_padding
from thinslice.store import layout
from thinslice.volume import Padding, Volume


def scan(number=-3024.0, step_px=0.15):
    return with_padding(Volume(as_in_file(THIN, number, step_px), THIN))


def written(path, **volumes):
    with store.writing(path) as writer:
        for case, volume in volumes.items():
            writer.add(case, volume, split="test")
    return store.open_store(path)


@pytest.mark.parametrize("number", [-2000.0, -32768.0, -1e9, -1024.5])
def test_what_is_written_is_read_back(tmp_path, number):
    volume = scan(number) if number < -1024.5 else scan()
    read = written(tmp_path / "a.zarr", a=volume).read("a")
    assert np.array_equal(read.voxels, volume.voxels)
    assert np.array_equal(read.as_in_file(), volume.as_in_file())
    assert read.padding.values == volume.padding.values


def test_blocks_of_a_scan_on_disk(tmp_path):
    stored = written(tmp_path / "a.zarr", a=scan()).scan("a")
    block = (slice(3, 9), slice(2, 20, 2), slice(1, 5))
    assert np.array_equal(stored.padded(*block), outside(THIN, 0.15)[block])


def test_more_numbers_than_a_byte_counts(tmp_path):
    numbers = patient(THICK)
    mask = outside(THICK)
    numbers[mask] = -2000 - np.arange(mask.sum()) % 300
    volume = Volume(patient(THICK), THICK).with_padding(Padding.of(mask, numbers))
    read = written(tmp_path / "a.zarr", a=volume).read("a")
    assert read.padding.labels.dtype == np.uint16
    assert np.array_equal(read.as_in_file(), numbers)


def test_a_store_without_padding_holds_no_more_than_before(tmp_path):
    stored = written(tmp_path / "a.zarr", a=Volume(patient(THIN), THIN))
    assert stored.read("a").padding is None
    assert not any(layout.PADDING in name for name in stored.files)
    assert b"padding" not in (tmp_path / "a.zarr/a/zarr.json").read_bytes()


def test_the_digest_covers_the_padding(tmp_path):
    digests = set()
    for k, number in enumerate((-2000.0, -3024.0)):
        written(tmp_path / f"{k}.zarr", a=scan(number))
        digests.add(store.digest(tmp_path / f"{k}.zarr"))
    voxels = Volume(scan().voxels, THIN)
    written(tmp_path / "plain.zarr", a=voxels)
    assert len(digests | {store.digest(tmp_path / "plain.zarr")}) == 3


def test_damaged_padding_is_noticed(tmp_path):
    written(tmp_path / "a.zarr", a=scan())
    (labels,) = [
        p for p in (tmp_path / "a.zarr/a/padding").rglob("*") if p.is_file() and p.name == "0"
    ]
    data = bytearray(labels.read_bytes())
    data[len(data) // 3] ^= 1
    labels.write_bytes(bytes(data))
    assert store.verify(tmp_path / "a.zarr")
    labels.unlink()
    with pytest.raises(store.StoreError, match="missing"):
        store.open_store(tmp_path / "a.zarr").read("a")


def test_a_single_scan_is_read_as_any_other_file(tmp_path):
    files.write(scan(), tmp_path / "out.zarr")
    loaded = files.read(tmp_path / "out.zarr")
    assert np.array_equal(loaded.volume.as_in_file(), as_in_file(THIN, -3024.0, 0.15))
    assert "(-3024)" in " ".join(loaded.source["warnings"])


def test_a_store_of_raw_numbers_is_marked_when_it_is_read(tmp_path):
    files.write(Volume(as_in_file(THIN, -3024.0), THIN), tmp_path / "out.zarr")
    assert np.array_equal(files.read(tmp_path / "out.zarr").volume.padded(), outside(THIN))
