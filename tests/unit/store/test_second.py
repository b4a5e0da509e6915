"""A second contrast lies beside a case's voxels, on a grid of its own, and comes back as it was."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from thinslice import store
from thinslice.degradations import profile
from thinslice.operators.degradation import thick_of
from thinslice.store.layout import SECOND, StoreError
from thinslice.training.samplers import crops
from thinslice.training.samplers.held_scans import held
from thinslice.volume import Grid, Volume

GRID = Grid(20, 1.0, 1.0, (12, 14), (0.7, 0.7))
FINER = replace(GRID, n=31, increment_mm=0.6)
RNG = np.random.default_rng(0)
SECOND_CONTRAST = Volume(RNG.normal(50, 9, FINER.zyx).astype(np.float32), FINER, "MR")
SCAN = Volume(RNG.integers(-900, 900, GRID.zyx).astype(np.float32), GRID, second=SECOND_CONTRAST)


@pytest.fixture
def path(tmp_path) -> Path:
    with store.writing(tmp_path / "s") as writer:
        writer.add("with", SCAN, split="test")
        writer.add("without", replace(SCAN, second=None), split="test")
    return tmp_path / "s"


def same(a: Volume | None, b: Volume) -> None:
    assert a is not None
    assert (a.grid, a.modality) == (b.grid, b.modality)
    np.testing.assert_array_equal(a.voxels, b.voxels)


def test_it_comes_back_with_the_case_and_with_no_other(path):
    opened = store.open_store(path)
    same(opened.read("with").second, SECOND_CONTRAST)
    same(crops.whole(opened.scan("with")).second, SECOND_CONTRAST)
    same(crops.whole(held(opened.scan("with"))).second, SECOND_CONTRAST)
    assert opened.read("without").second is None
    assert not (path / "without" / SECOND).exists()


def test_a_file_of_it_that_is_missing_is_noticed(path):
    next(file for file in (path / "with" / SECOND / "c").rglob("*") if file.is_file()).unlink()
    with pytest.raises(StoreError, match="missing"):
        store.open_store(path).read("with")
    store.open_store(path).read("without")


def test_thick_slices_are_made_of_the_scan_alone():
    box = profile.build(shape="box", thickness_mm=5.0, increment_mm=5.0)
    thick = thick_of(box, SCAN)
    same(thick.second, SECOND_CONTRAST)
    np.testing.assert_array_equal(thick.voxels, thick_of(box, replace(SCAN, second=None)).voxels)


def test_what_is_restored_carries_none():
    assert SCAN.with_voxels(SCAN.voxels[:9], replace(GRID, n=9)).second is None
    same(SCAN.with_voxels(2 * SCAN.voxels).second, SECOND_CONTRAST)
