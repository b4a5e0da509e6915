"""Varied virtual patients: each its own, whatever the number of others; real scans follow them."""

import nibabel
import numpy as np
import pytest

from thinslice.datasets import varied_phantom

SMALL = {"shape": [24, 32], "length_mm": 24.0, "seed": 3}


def test_patients_differ_and_do_not_depend_on_how_many_there_are(tmp_path) -> None:
    few = list(varied_phantom.build(patients={"train": 1, "val": 1}, **SMALL).cases(tmp_path))
    more = list(varied_phantom.build(patients={"train": 2, "val": 1}, **SMALL).cases(tmp_path))
    assert [case.name for case in more] == ["train-00", "train-01", "val-00"]
    assert np.array_equal(few[0].thin.voxels, more[0].thin.voxels)
    assert np.array_equal(few[1].thin.voxels, more[2].thin.voxels)
    grids = [case.thin.grid for case in more]
    assert len({grid.pixel_mm for grid in grids}) == len({grid.increment_mm for grid in grids}) == 3


def test_draws_stay_in_their_ranges() -> None:
    settings = varied_phantom.Settings()
    drawn = [settings.of(number) for number in range(50)]
    low, high = settings.noise_hu
    assert all(low <= d["noise_hu"] <= high for d in drawn)
    pixels = [d["pixel_mm"][0] for d in drawn]
    assert min(pixels) < 0.9
    assert max(pixels) > 1.5


def test_real_scans_follow_the_phantoms_and_are_among_the_files(tmp_path) -> None:
    scan = np.zeros((20, 20, 8), np.int16)
    for number in (1, 2):
        image = nibabel.Nifti1Image(scan - 1000 + number, np.eye(4))
        nibabel.save(image, tmp_path / f"r{number}.nii.gz")
    rows = "case,patient,split,thin\nr1,r1,train,r1.nii.gz\nr2,r2,test,r2.nii.gz\n"
    (tmp_path / "manifest.csv").write_text(rows)
    data = varied_phantom.build(patients={"train": 1}, folder=str(tmp_path), **SMALL)
    assert [case.name for case in data.cases(tmp_path)] == ["train-00", "r1", "r2"]
    assert {path.name for path in data.files(tmp_path)} == {
        "manifest.csv",
        "r1.nii.gz",
        "r2.nii.gz",
    }


def test_a_missing_folder_is_refused_before_anything_is_computed(tmp_path) -> None:
    data = varied_phantom.build(folder=str(tmp_path / "nowhere"), **SMALL)
    with pytest.raises(ValueError, match="manifest"):
        data.fetch(tmp_path)
