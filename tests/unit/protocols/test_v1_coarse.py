"""Protocol v1 where the method was shown coarser pixels than the thin scan has."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.sparse import csr_array

from support.v1_scene import BODY, GRID, SPARSE, X, Y, question, scores
from thinslice.volume import Volume

HALVES = tuple(csr_array(np.kron(np.eye(n // 2), np.full(2, 0.5))) for n in (32, 34))


def coarse(asked, planes=HALVES):
    """The same question, but the method was shown pixels of 2 x 2 thin ones."""
    rows, columns = (matrix.toarray() for matrix in HALVES)
    voxels = np.einsum("py,zyx,qx->zpq", rows, asked.thick.voxels, columns).astype(np.float32)
    grid = replace(asked.thick.grid, shape=(16, 17), pixel_mm=(4.0, 4.0), origin_mm=(1.0, 1.0, 0.0))
    thick = Volume(voxels, grid, asked.thick.modality)
    return replace(asked, thick=thick, planes=planes)


def test_coarser_thick_pixels_change_no_score_but_the_consistency():
    asked = question(np.random.default_rng(3).normal(0, 30, GRID.zyx))
    fine, found = scores(asked), scores(coarse(asked))
    assert found.keys() == fine.keys()
    changed = {name for name in found if found[name] != fine[name]}
    assert changed == {f"consistency_{what}_hu" for what in ("rmse", "bias", "floor")}


def test_consistency_makes_pixels_coarse_again():
    found = scores(coarse(question(-7.0)))
    assert found["consistency_bias_hu"].value == pytest.approx(-7, abs=1e-3)
    assert found["consistency_floor_hu"].value == pytest.approx(0, abs=1e-3)
    board = np.where((Y + X) % 2, 50.0, -50.0)  # nothing that a coarse pixel could see
    found = scores(coarse(question(np.broadcast_to(board, GRID.zyx))))
    assert found["consistency_rmse_hu"].value == pytest.approx(0, abs=1e-3)
    assert found["consistency_rmse_hu"].n == pytest.approx(6 * BODY.sum() / 4, rel=0.1)


def test_without_planes_coarser_thick_pixels_have_no_consistency():
    found = scores(coarse(question(3.0), planes=None))
    assert not [m for m in found if m.startswith("consistency")]
    assert found["rmse_hu"].value == pytest.approx(3, abs=1e-5)


def test_coarser_slices_at_thin_places_were_not_shown():
    """Every 4th slice was shown, but not its pixels: it counts."""
    found = scores(coarse(question(20.0, SPARSE)))
    assert found["rmse_hu 0mm"].value == pytest.approx(20, abs=1e-4)
    assert found["rmse_hu"].n > scores(question(20.0, SPARSE))["rmse_hu"].n


def test_mr_is_scaled_by_the_coarser_thick_volume():
    asked = coarse(question(40.0, modality="MR", offset=1000.0))
    low, high = np.percentile(asked.thick.voxels, (0.5, 99.5))
    found = scores(asked)
    assert found["rmse_au"].value == pytest.approx(40 / (high - low), rel=1e-5)
    assert found["consistency_bias_au"].value == pytest.approx(40 / (high - low), rel=1e-4)
