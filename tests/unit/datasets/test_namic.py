"""NAMIC: one contrast of every case, the paper's slices and split; refused unless all is there."""

import zipfile
from pathlib import Path

import numpy as np
import pytest

from support.scan_folders import namic_folder, write_namic
from thinslice.datasets import namic
from thinslice.errors import Refused

COUNTS = {"train": 2, "val": 1, "test": 1}


def test_the_first_by_name_train_and_both_contrasts_are_split_alike(tmp_path):
    namic_folder(tmp_path)
    t1w, t2w = (list(namic.build(c, **COUNTS).cases(tmp_path)) for c in ("t1w", "t2w"))
    assert [(c.name, c.split) for c in t1w] == [(c.name, c.split) for c in t2w]
    assert [c.split for c in t1w] == ["train", "train", "val", "test"]
    assert [c.name for c in t1w] == ["case01011", "case01015", "case01019", "case01023"]
    assert not np.array_equal(t1w[0].thin.voxels, t2w[0].thin.voxels)
    assert t1w[0].thin.modality == "MR"
    assert t1w[0].source["thin"]["path"] == "case01011/01011-t1w.nrrd"


def test_a_scan_may_carry_the_other_contrast_of_the_same_case(tmp_path):
    namic_folder(tmp_path)
    both = namic.build("t1w", **COUNTS, second="t2w")
    others = namic.build("t2w", **COUNTS).cases(tmp_path)
    for case, other in zip(both.cases(tmp_path), others, strict=True):
        np.testing.assert_array_equal(case.thin.second.voxels, other.thin.voxels)
        assert case.source["second"]["path"].endswith("-t2w.nrrd")
    assert len(both.files(tmp_path)) == 8
    assert next(namic.build("t1w", **COUNTS).cases(tmp_path)).thin.second is None


def test_a_second_contrast_that_is_missing_or_lies_elsewhere_is_refused(tmp_path):
    namic_folder(tmp_path)
    dataset = namic.build("t1w", **COUNTS, second="t2w")
    path = tmp_path / "case01015/01015-t2w.nrrd"
    write_namic(path, np.ones((9, 8, 7)))
    with pytest.raises(Refused, match=r"01015-t2w.nrrd: found voxels elsewhere than .*01015-t1w"):
        list(dataset.cases(tmp_path))
    path.unlink()
    with pytest.raises(Refused, match=r"found no \*-t2w.nrrd of 01015"):
        dataset.files(tmp_path)
    with pytest.raises(ValueError, match="second is the contrast that t1w is not"):
        namic.build("t1w", second="t1w")


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_slices_are_along_the_axis_whose_length_no_other_shares(tmp_path, axis):
    values = np.random.default_rng(0).integers(0, 900, (9, 8, 8)).swapaxes(0, axis)
    write_namic(tmp_path / "case1/1-t1w.nrrd", values)
    (case,) = namic.build(train=0, test=1).cases(tmp_path)
    assert case.thin.grid.zyx == (9, 8, 8)
    assert sorted(case.thin.voxels.ravel()) == sorted(values.ravel())
    normal = np.abs(case.thin.grid.direction[0])
    assert normal[2 - axis] == 1.0


def test_no_odd_axis_leaves_it_to_the_frame():
    assert namic.odd_axis((256, 256, 176)) == 2
    assert namic.odd_axis((176, 256, 256)) == 0
    assert namic.odd_axis((256, 256, 256)) is None
    assert namic.odd_axis((170, 256, 240)) is None


def test_a_missing_case_is_counted(tmp_path):
    namic_folder(tmp_path)
    with pytest.raises(Refused, match=r"found 4 files \*-t1w.*expected 20 \(10 train, 0 val"):
        namic.build().fetch(tmp_path)


def test_a_case_twice_is_named(tmp_path):
    namic_folder(tmp_path)
    copy = tmp_path / "case01011 (1)/01011-t1w.nrrd"
    copy.parent.mkdir()
    copy.write_bytes((tmp_path / "case01011/01011-t1w.nrrd").read_bytes())
    with pytest.raises(Refused, match="twice: 01011"):
        namic.build(**COUNTS).files(tmp_path)


def test_a_scan_that_does_not_say_where_it_lies_is_refused(tmp_path):
    write_namic(tmp_path / "case1/1-t1w.nrrd", np.ones((9, 8, 8)), space=False)
    with pytest.raises(Refused, match="space none"):
        list(namic.build(train=0, test=1).cases(tmp_path))


def test_a_mirror_holds_the_cases_zipped(tmp_path):
    namic_folder(tmp_path / "made")
    (tmp_path / "mirror").mkdir()
    with zipfile.ZipFile(tmp_path / "mirror/namic.zip", "w") as made:
        for path in sorted((tmp_path / "made").rglob("*")):
            if path.is_file():
                made.write(path, path.relative_to(tmp_path / "made"))
    dataset = namic.build(**COUNTS)
    dataset.fetch(tmp_path / "raw", str(tmp_path / "mirror"))
    dataset.fetch(tmp_path / "raw", str(tmp_path / "mirror"))
    assert len(list(dataset.cases(tmp_path / "raw"))) == 4
    assert not list(Path(tmp_path / "raw").rglob("*FA.nrrd"))


def test_settings_that_make_no_sense_are_refused():
    for settings in ({"contrast": "flair"}, {"train": -1}, {"test": 0}):
        with pytest.raises(ValueError, match=r"contrast|count"):
            namic.build(**settings)
