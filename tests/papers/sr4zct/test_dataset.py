"""The four chests of SR4ZCT: which they are, and their pixels made a millimetre wide."""

from dataclasses import replace

import numpy as np
import pytest

from support import published_sets as sets
from thinslice.datasets import msd_lung
from thinslice.degradations import overlap as overlap_degradation
from thinslice.errors import Refused
from thinslice.methods import sr4zct
from thinslice.operators import overlap
from thinslice.operators.slice_means import slice_mean_matrix
from thinslice.volume import Grid, Padding, Volume

GRID = Grid(3, 0.625, 0.625, (40, 52), (0.74, 0.97), -7.0, (9.0, -4.0, 700.5))
CASES = (*msd_lung.TRAINED_ON, *msd_lung.TESTED_ON)


def slope(grid: Grid) -> np.ndarray:
    """A plane in the patient's own millimetres: 2 HU per mm to the left, -3 to the back."""
    at = grid.affine()
    k, j, i = np.indices(grid.zyx)
    place = at[:3, 0, None] * k.ravel() + at[:3, 1, None] * j.ravel() + at[:3, 2, None] * i.ravel()
    left, back, _ = (place + at[:3, 3, None]).reshape(3, *grid.zyx)
    return (2 * left - 3 * back).astype(np.float32)


def test_wider_pixels_keep_every_place_of_a_slope():
    wide = msd_lung.with_pixels(Volume(slope(GRID), GRID), 1.0)
    assert wide.grid.pixel_mm == (1.0, 1.0)
    assert wide.grid.shape == (29, 50)  # 29.6 and 50.4 mm hold so many whole millimetres
    np.testing.assert_allclose(wide.voxels, slope(wide.grid), atol=1e-3)


def test_a_wide_pixel_is_the_mean_over_its_width():
    checks = replace(GRID, pixel_mm=(0.25, 0.25))
    stripes = np.zeros(checks.zyx, np.float32)
    stripes[..., 1::2] = 100.0
    wide = msd_lung.with_pixels(Volume(stripes, checks), 1.0)
    np.testing.assert_allclose(wide.voxels[..., 1:-1], 50.0, atol=6.0)  # nine points, not all


def test_wider_slices_keep_every_place_of_a_slope_and_where_it_is_not_measured():
    tall = replace(GRID, n=20)
    slope_hu = 10 * np.broadcast_to(tall.centres_mm()[:, None, None], tall.zyx).astype(np.float32)
    outside = np.zeros(tall.zyx, bool)
    outside[7] = True
    scan = Volume(slope_hu, tall).with_padding(Padding.of(outside, slope_hu))
    wide = msd_lung.with_slices(scan, 1.0)
    assert (wide.grid.n, wide.grid.increment_mm, wide.grid.thickness_mm) == (12, 1.0, 1.0)
    expected = np.broadcast_to(10 * wide.grid.centres_mm()[:, None, None], wide.grid.zyx)
    padded = wide.padded()
    assert padded is not None
    np.testing.assert_allclose(wide.voxels[~padded], expected[~padded], atol=1e-3)
    touched = np.abs(wide.grid.centres_mm() - tall.centres_mm()[7]) < 0.625 + 4 / 9
    assert np.array_equal(padded.all((1, 2)), touched)


def test_slices_as_far_apart_as_pixels_are_answered_by_sr4zct_without_interpolating():
    """What is scored is what the network gave, moved by less than half a slice, never blurred."""
    for increment_mm, kept in ((1.0, True), (0.625, False)):
        thin = replace(GRID, n=80)
        if kept:
            thin = overlap.exact(thin, increment_mm, 0.0)
        thick = overlap_degradation.build(thickness_mm=5.0, overlap_mm=2.5).thick_grid(thin)
        native = sr4zct.Exact(None, None).native(thick, 1.0, thin)
        rows = slice_mean_matrix(native, thin).toarray()
        one_each = np.isclose(rows.max(1), 1).all()
        assert one_each == kept


def test_the_papers_split_and_all_four_for_testing(tmp_path):
    sets.msd_folder(tmp_path, dict.fromkeys(CASES, msd_lung.TASK))
    cases = list(msd_lung.build(folder=str(tmp_path)).cases(tmp_path))
    assert [case.split for case in cases] == ["train", "train", "train", "test"]
    assert {case.thin.grid.pixel_mm for case in cases} == {(1.0, 1.0)}
    as_it_is = msd_lung.build(folder=str(tmp_path), test_all=True, pixel_mm=None)
    every = list(as_it_is.cases(tmp_path))
    assert {case.split for case in every} == {"test"}
    assert every[0].thin.grid.pixel_mm != (1.0, 1.0)


def test_the_archive_is_unpacked_from_a_mirror_and_a_missing_chest_is_named(tmp_path, monkeypatch):
    sets.msd_folder(tmp_path / "made", dict.fromkeys(CASES, msd_lung.TASK))
    archive = tmp_path / "mirror" / f"{msd_lung.TASK}.tar"
    md5 = sets.archived(tmp_path / "made", archive, dot=True)
    monkeypatch.setattr(msd_lung, "REMOTE", replace(msd_lung.REMOTE, md5=md5))
    dataset = msd_lung.build()
    dataset.fetch(tmp_path / "raw", str(archive.parent))
    files = dataset.files(tmp_path / "raw")
    assert [path.name for path in files] == [f"{case}.nii.gz" for case in CASES]
    files[1].unlink()
    with pytest.raises(Refused, match=r"lung_014\.nii\.gz in 0 of"):
        dataset.files(tmp_path / "raw")
