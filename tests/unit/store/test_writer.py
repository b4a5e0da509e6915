"""What is written is read back: voxels, geometry, and what was said about a case."""

import pickle
import subprocess
import sys
from dataclasses import replace

import dask.array as da
import numpy as np
import pytest
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st

from thinslice import store
from thinslice.store import layout
from thinslice.volume import Grid, Volume

GRID = Grid(n=20, increment_mm=0.7, thickness_mm=1.25, shape=(13, 11), pixel_mm=(0.8, 0.6))
TILT = np.deg2rad(20)
OBLIQUE = replace(
    GRID,
    start_mm=-3.25,
    origin_mm=(-120.5, 33.1, 1 / 3),
    direction=(
        (0.0, float(-np.sin(TILT)), float(np.cos(TILT))),
        (0.0, float(np.cos(TILT)), float(np.sin(TILT))),
        (1.0, 0.0, 0.0),
    ),
)


def noise(grid: Grid, seed: int = 0) -> Volume:
    hu = np.random.default_rng(seed).integers(-1024, 3072, grid.zyx)
    return Volume(hu.astype(np.float32), grid)


def write(path, **volumes: Volume):
    with store.writing(path) as writer:
        for case, volume in volumes.items():
            writer.add(case, volume)
    return store.open_store(path)


@pytest.fixture(scope="module")
def kept(tmp_path_factory) -> store.Store:
    """A store whose scan spans two shards and uneven chunks along z, y and x."""
    grid = replace(GRID, n=70, shape=(140, 131))
    return write(tmp_path_factory.mktemp("kept") / "a.zarr", scan=noise(grid))


def test_every_hu_that_16_bits_hold_comes_back_bit_for_bit(tmp_path):
    hu = np.arange(-32768, 32768, dtype=np.float32).reshape(16, 64, 64)
    volume = Volume(hu, replace(GRID, n=16, shape=(64, 64)))
    back = write(tmp_path / "a.zarr", all=volume).read("all")
    assert back.voxels.dtype == np.float32
    np.testing.assert_array_equal(back.voxels, hu)


def test_ct_lies_on_disk_as_int16_and_mr_as_float32(tmp_path):
    mr = Volume(noise(GRID).voxels / 3, GRID, "MR")
    made = write(tmp_path / "a.zarr", ct=noise(GRID), mr=mr)
    on_disk = {case: zarr.open_array(made.path / case / "0", mode="r") for case in made.cases()}
    assert {case: array.dtype.name for case, array in on_disk.items()} == {
        "ct": "int16",
        "mr": "float32",
    }
    assert made.read("mr").modality == "MR"
    np.testing.assert_array_equal(made.read("mr").voxels, mr.voxels)


@pytest.mark.parametrize("grid", [GRID, OBLIQUE], ids=["axial", "oblique"])
def test_the_grid_comes_back_exactly(tmp_path, grid):
    made = write(tmp_path / "a.zarr", case=noise(grid))
    assert made.grid("case") == grid
    assert made.scan("case").grid == grid
    assert made.read("case").grid == grid


def test_a_grid_of_numpy_numbers_is_the_same_grid(tmp_path):
    numpy_grid = replace(GRID, n=np.int64(20), increment_mm=np.float64(0.7))
    assert write(tmp_path / "a.zarr", case=noise(numpy_grid)).grid("case") == GRID


def test_what_is_said_about_a_case_comes_back_and_splits_select(tmp_path):
    said = {"patient": "p1", "split": "test", "source": {"kernel": "B30f", "files": ["a", "b"]}}
    with store.writing(tmp_path / "a.zarr") as writer:
        writer.add("two", noise(GRID), **said)
        writer.add("one", noise(GRID), split="train")
        writer.add("three", noise(GRID), split="train")
    made = store.open_store(tmp_path / "a.zarr")
    assert made.about("two") == said
    assert made.cases() == ["one", "three", "two"]
    assert made.cases("train") == ["one", "three"]
    assert made.cases("val") == []


bounds = st.one_of(st.none(), st.integers(-160, 160))
spans = st.builds(slice, bounds, bounds, st.one_of(st.none(), st.integers(1, 3)))


@settings(max_examples=60, deadline=None)
@given(z=spans, y=spans, x=spans)
def test_a_block_read_lazily_is_the_block_of_the_whole(kept, z, y, x):
    whole, lazy = kept.read("scan"), kept.scan("scan")
    block = lazy.read(z, y, x)
    assert block.dtype == np.float32
    np.testing.assert_array_equal(block, whole.read(z, y, x))


def test_the_whole_is_what_was_written(kept):
    np.testing.assert_array_equal(kept.read("scan").voxels, noise(kept.grid("scan")).voxels)
    np.testing.assert_array_equal(kept.dask("scan").compute(), kept.read("scan").voxels)


def test_a_backward_step_is_refused(kept):
    with pytest.raises(ValueError, match="reads forwards"):
        kept.scan("scan").read(slice(None, None, -1))


def test_a_scan_survives_pickling(kept):
    again = pickle.loads(pickle.dumps(kept.scan("scan")))
    np.testing.assert_array_equal(again.read(slice(60, 70)), kept.scan("scan").read(slice(60, 70)))


def test_a_scan_is_read_by_forked_workers(kept):
    """As a training loop's loaders do: opened and read before the fork, read again after it."""
    code = """
import sys, multiprocessing
from thinslice import store
scan = store.open_store(sys.argv[1]).scan("scan")
here = [float(scan.read(slice(z, z + 9)).sum()) for z in (0, 30, 60)]
def there(z): return float(scan.read(slice(z, z + 9)).sum())
with multiprocessing.get_context("fork").Pool(2) as pool:
    assert pool.map_async(there, (0, 30, 60)).get(timeout=30) == here
print("same")
"""
    run = [sys.executable, "-c", code, str(kept.path)]
    assert subprocess.run(run, capture_output=True, text=True, timeout=60).stdout == "same\n"


@pytest.mark.parametrize("depth", [1, 7, 64, 70])
def test_slabs_of_any_thickness_and_dask_write_the_same_bytes(tmp_path, kept, depth):
    whole = kept.read("scan")
    slabs = (whole.voxels[k : k + depth] for k in range(0, whole.grid.n, depth))
    with store.writing(tmp_path / "slabs.zarr") as writer:
        writer.add_slabs("scan", whole.grid, "CT", slabs)
    with store.writing(tmp_path / "dask.zarr") as writer:
        writer.add_slabs("scan", whole.grid, "CT", da.from_array(whole.voxels, (depth, 90, 131)))
    made = {store.digest(tmp_path / name) for name in ("slabs.zarr", "dask.zarr")}
    assert made == {store.digest(kept.path)}


def test_same_content_in_any_order_is_the_same_digest_and_other_content_is_not(tmp_path):
    def digest(name, *cases):
        with store.writing(tmp_path / name) as writer:
            for case, seed, about in cases:
                writer.add(case, noise(GRID, seed), **about)
        return store.digest(tmp_path / name)

    one, two = ("one", 1, {"split": "test", "patient": "p"}), ("two", 2, {})
    first = digest("a.zarr", one, two)
    assert digest("b.zarr", two, ("one", 1, {"patient": "p", "split": "test"})) == first
    assert digest("a.zarr", one, ("two", 3, {})) != first
    assert digest("a.zarr", ("one", 1, {"split": "val", "patient": "p"}), two) != first


@pytest.mark.parametrize(
    ("bad", "said"), [(np.nan, "not finite"), (32768, "16 bits"), (-32769, "16 bits")]
)
@pytest.mark.parametrize("lazily", [False, True])
def test_hu_that_do_not_fit_are_refused_with_the_case_and_leave_nothing(
    tmp_path, bad, said, lazily
):
    voxels = noise(GRID).voxels.copy()
    voxels[-1, -1, -1] = bad
    with store.writing(tmp_path / "a.zarr") as writer:
        with pytest.raises(ValueError, match=f"'bad'.*{said}"):
            writer.add_slabs("bad", GRID, "CT", da.from_array(voxels) if lazily else [voxels])
        writer.add("good", noise(GRID))
    made = store.open_store(tmp_path / "a.zarr")
    assert made.cases() == ["good"]
    assert not (made.path / "bad").exists()
    assert store.verify(made.path) == []


@pytest.mark.parametrize("n", [19, 21])
def test_slabs_that_miss_the_grid_are_refused(tmp_path, n):
    slabs = [np.zeros((1, *GRID.shape), np.float32)] * n
    with pytest.raises(ValueError, match="grid"), store.writing(tmp_path / "a.zarr") as writer:
        writer.add_slabs("case", GRID, "CT", slabs)


@pytest.mark.parametrize("name", ["Case", "a/b", "", "a b", ".."])
def test_a_case_name_that_is_no_folder_name_is_refused(tmp_path, name):
    with store.writing(tmp_path / "a.zarr") as writer:
        writer.add("case", noise(GRID))
        with pytest.raises(ValueError, match="a name is made of"):
            writer.add(name, noise(GRID))
        with pytest.raises(ValueError, match="added already"):
            writer.add("case", noise(GRID))
    assert store.open_store(tmp_path / "a.zarr").cases() == ["case"]


sizes = st.tuples(st.integers(1, 700), st.integers(1, 1100), st.integers(1, 1100))


@given(zyx=sizes)
def test_chunks_fit_the_volume_and_shards_hold_whole_chunks(zyx):
    chunks, shards = layout.chunk_shape(zyx), layout.shard_shape(zyx)
    for n, chunk, shard, most, cap in zip(zyx, chunks, shards, layout.CHUNK, layout.SHARD):
        assert 1 <= chunk <= min(n, most)
        assert shard % chunk == 0
        assert chunk <= shard <= cap
        assert shard < n + chunk


@pytest.mark.parametrize("grid", [GRID, OBLIQUE], ids=["axial", "oblique"])
def test_each_case_is_a_valid_ome_zarr_image(tmp_path, grid):
    v05 = pytest.importorskip("ome_zarr_models.v05", reason="the independent validator")
    made = write(tmp_path / "a.zarr", case=noise(grid))
    image = v05.Image.from_zarr(zarr.open_group(made.path / "case", mode="r"))
    (multiscale,) = image.ome_attributes.multiscales
    assert [(a.name, a.type, a.unit) for a in multiscale.axes] == [
        (axis, "space", "millimeter") for axis in "zyx"
    ]
    assert zarr.open_array(made.path / "case/0", mode="r").metadata.dimension_names == (*"zyx",)
    scale, shift = multiscale.datasets[0].coordinateTransformations
    placed = np.array(shift.translation) + np.array(scale.scale) * (3, 5, 7)
    # OME-Zarr's axes are the array's own: turned by the direction they are the patient's.
    in_patient = placed @ np.array(grid.direction)
    np.testing.assert_allclose(in_patient, (grid.affine() @ (3, 5, 7, 1))[:3], atol=1e-9)
