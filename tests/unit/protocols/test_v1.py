"""Protocol v1 scores the right voxels, in the right unit, and refuses what it cannot compare."""

import math
from dataclasses import replace

import numpy as np
import pytest

from support.v1_scene import AVERAGED, BODY, GRID, SPARSE, X, Y, question, scores, thin_hu
from thinslice.interfaces import ScoringInput
from thinslice.protocols import v1
from thinslice.volume import Volume


def test_the_list_for_ct():
    assert set(scores(question(3.0))) == {
        *("rmse_hu", "mae_hu", "psnr_db scan", "psnr_db lung", "psnr_db soft"),
        *("rmse_hu 0mm", "rmse_hu 1mm", "rmse_hu 2mm"),
        *(f"ssim {p} lung" for p in ("axial", "coronal", "sagittal", "3d")),
        *(f"ssim {p} soft" for p in ("axial", "coronal", "sagittal", "3d")),
        *(f"consistency_{what}_hu" for what in ("rmse", "bias", "floor")),
        "z_offset_mm",
    }


def test_a_known_error_is_scored_in_closed_form():
    found = scores(question(-7.0))
    assert found["rmse_hu"].value == pytest.approx(7, abs=1e-5)
    assert found["mae_hu"].value == pytest.approx(7, abs=1e-5)
    assert found["psnr_db scan"].value == pytest.approx(20 * math.log10(4000 / 7), abs=1e-5)
    assert found["consistency_bias_hu"].value == pytest.approx(-7, abs=1e-4)
    assert found["rmse_hu 2mm"].value == pytest.approx(7, abs=1e-5)
    assert found["z_offset_mm"].value == pytest.approx(0, abs=1e-6)


def test_a_perfect_volume():
    found = scores(question())
    assert found["rmse_hu"].value == 0
    assert found["psnr_db soft"].value == math.inf
    assert {s.value for m, s in found.items() if m.startswith("ssim")} == {1.0}


def test_phases_are_named_in_millimetres():
    thin = GRID.with_slices(n=40, increment_mm=0.7, thickness_mm=1.0, start_mm=0.0)
    thick = AVERAGED.with_slices(n=8, increment_mm=3.5, thickness_mm=5.0, start_mm=1.4)
    asked = question(3.0, thick)
    asked = replace(asked, **{k: Volume(thin_hu(), thin) for k in ("restored", "thin")})
    named = sorted(m for m in scores(asked) if m.endswith("mm") and " " in m)
    assert named == ["rmse_hu 0.7mm", "rmse_hu 0mm", "rmse_hu 1.4mm"]


def test_only_the_body_between_the_ends_counts():
    """Air and the first and last five slices may be as wrong as they like."""
    error = np.full(GRID.zyx, 500.0)
    error[5:-5, BODY] = 2.0
    found = scores(question(error))
    assert found["rmse_hu"].value == pytest.approx(2, abs=0.02)
    assert found["rmse_hu"].n == pytest.approx(30 * BODY.sum(), rel=0.02)
    assert found["consistency_rmse_hu"].value == pytest.approx(2, abs=0.02)
    assert found["consistency_rmse_hu"].n == pytest.approx(6 * BODY.sum(), rel=0.02)


def test_shown_slices_do_not_count_in_a_decimated_scan():
    """A method that passes shown slices through gains nothing by it."""
    error = np.full(GRID.zyx, 20.0)
    error[::4] = 0.0
    found = scores(question(error, SPARSE))
    assert found["rmse_hu"].value == pytest.approx(20, abs=1e-4)
    assert "rmse_hu 0mm" not in found
    assert found["ssim axial soft"].n == pytest.approx(24 * BODY.sum(), rel=0.05)


def test_shown_places_count_where_the_thick_slices_are_thicker():
    thick = replace(SPARSE, thickness_mm=3.0)
    error = np.full(GRID.zyx, 20.0)
    error[::4] = 0.0
    asked = question(error, SPARSE)
    asked = replace(asked, thick=Volume(asked.thick.voxels, thick))
    assert scores(asked)["rmse_hu 0mm"].value == 0


def test_the_body_is_the_thin_volumes():
    """Restoring nothing but air does not shrink the mask."""
    a, b = scores(question(3.0)), scores(question(-2000.0))
    assert {s.mask for s in a.values()} == {s.mask for s in b.values()} == {a["rmse_hu"].mask}
    assert len(a["rmse_hu"].mask) == 8
    assert b["rmse_hu"].value == pytest.approx(2000, rel=1e-6)


def test_each_range_sees_its_own_tissue():
    """An error between two lung levels is none to the soft-tissue range."""
    asked = question()
    thin, restored = asked.thin.voxels.copy(), asked.restored.voxels.copy()
    core = np.hypot(Y - 15.5, X - 16.5) < 6
    thin[:, core], restored[:, core] = -850, -750
    asked = replace(asked, thin=Volume(thin, GRID), restored=Volume(restored, GRID))
    found = scores(asked)
    assert found["psnr_db soft"].value == math.inf
    assert found["ssim sagittal soft"].value == found["ssim 3d soft"].value == 1
    assert found["ssim sagittal lung"].value < 0.99
    assert found["psnr_db lung"].value < 60


def test_the_consistency_of_the_truth_is_the_floor():
    asked = question(-7.0)
    assert scores(asked)["consistency_floor_hu"].value == pytest.approx(0, abs=1e-3)
    soft = replace(asked, thick=asked.thick.with_voxels(asked.thick.voxels + 2))
    found, truth = scores(soft), scores(replace(soft, restored=soft.thin))
    assert found["consistency_floor_hu"].value == pytest.approx(2, abs=1e-3)
    assert truth["consistency_rmse_hu"].value == found["consistency_floor_hu"].value


def test_without_a_matrix_there_is_no_consistency_row():
    found = scores(replace(question(3.0), matrix=None))
    assert not [m for m in found if m.startswith("consistency")]


def test_a_shift_along_z_is_reported():
    wave = 200 * np.sin(2 * np.pi * 0.06 * (np.arange(40)[:, None, None] - np.array([0, 0.5])))
    thin, restored = (np.float32(40) + wave[..., i, None] + 0 * BODY for i in (0, 1))
    asked = question()
    asked = replace(
        asked,
        thin=Volume(np.where(BODY, thin, -1000).astype(np.float32), GRID),
        restored=Volume(np.where(BODY, restored, -1000).astype(np.float32), GRID),
    )
    assert scores(asked)["z_offset_mm"].value == pytest.approx(0.5, abs=0.05)


def test_mr_scores_do_not_depend_on_the_scanners_unit():
    a = scores(question(40.0, modality="MR", offset=1000.0))
    b = scores(question(120.0, modality="MR", gain=3.0, offset=77.0))
    assert {s.unit for s in a.values()} == {"a.u.", "dB", "1", "mm"}
    assert "psnr_db unit" in a
    assert "rmse_hu" not in a
    for metric in ("rmse_au", "mae_au", "psnr_db unit", "ssim coronal unit", "ssim 3d unit"):
        assert a[metric].value == pytest.approx(b[metric].value, rel=1e-4)


def test_mr_scale_is_the_thick_volumes():
    """A restored volume with one huge voxel outside the body scores as before."""
    asked = question(40.0, modality="MR", offset=1000.0)
    before = scores(asked)["rmse_au"].value
    low, high = np.percentile(asked.thick.voxels, (0.5, 99.5))
    assert before == pytest.approx(40 / (high - low), rel=1e-5)
    asked.restored.voxels[20, 0, 0] = 1e6
    assert scores(asked)["rmse_au"].value == before


def test_short_scans_lose_the_scores_they_cannot_have():
    """Of eighteen slices eight count: enough in-plane, not through z."""
    grid = GRID.with_slices(n=18, increment_mm=1.0, thickness_mm=1.0, start_mm=0.0)
    asked = question(3.0)
    thin, restored = (Volume(v.voxels[:18], grid) for v in (asked.thin, asked.restored))
    found = scores(ScoringInput(restored, thin, asked.thick))
    assert "ssim axial lung" in found
    assert "ssim coronal lung" not in found
    assert "ssim 3d lung" not in found


def test_threads_change_no_bit():
    error = np.random.default_rng(2).normal(0, 30, GRID.zyx)
    asked = question(error)
    assert v1.build(threads=1).score(asked) == v1.build(threads=3).score(asked)


def test_the_question_is_left_alone():
    asked = question(3.0)
    before = [v.voxels.copy() for v in (asked.restored, asked.thin, asked.thick)]
    scores(asked)
    for volume, voxels in zip((asked.restored, asked.thin, asked.thick), before):
        np.testing.assert_array_equal(volume.voxels, voxels)


# Refused


def test_a_grid_beside_the_thin_grid_is_refused():
    asked = question()
    for change in ({"start_mm": 0.5}, {"increment_mm": 1.01}, {"origin_mm": (0.0, 0.001, 0.0)}):
        moved = Volume(asked.restored.voxels, replace(GRID, **change))
        with pytest.raises(ValueError, match=r"do not coincide within 0\.0001 mm"):
            scores(replace(asked, restored=moved))


def test_a_thickness_that_differs_is_no_place_that_differs():
    asked = question(3.0)
    other = Volume(asked.restored.voxels, replace(GRID, thickness_mm=1.3))
    assert scores(replace(asked, restored=other))["mae_hu"].value == pytest.approx(3, abs=1e-5)


def test_numbers_that_are_not_finite_are_refused():
    asked = question()
    asked.restored.voxels[20, 3, 4:6] = np.nan
    with pytest.raises(ValueError, match="2 restored voxels are not finite"):
        scores(asked)


def test_air_alone_is_refused():
    air = Volume(np.full(GRID.zyx, -1000, np.float32), GRID)
    with pytest.raises(ValueError, match="no voxel to score: 0 body voxels"):
        scores(replace(question(), thin=air))


def test_mixed_modalities_are_refused():
    asked = question()
    mr = Volume(asked.thin.voxels, GRID, "MR")
    with pytest.raises(ValueError, match="one modality"):
        scores(replace(asked, thin=mr))


def test_threads_come_from_the_job(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert v1.build().threads == 3
    monkeypatch.setenv("OMP_NUM_THREADS", "")
    assert 1 <= v1.build().threads <= 4
