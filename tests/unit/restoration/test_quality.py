"""What can be said of a restored scan without a truth."""

from dataclasses import replace

import numpy as np
import pytest

from support.patient import SCAN, patient
from thinslice.operators import profiles, projection
from thinslice.operators.grids import thin_grid
from thinslice.operators.thickening import thickening_matrix
from thinslice.restoration import quality
from thinslice.training import fitted_on
from thinslice.volume import Grid, Volume


def made_thick(thin: Volume) -> Volume:
    return Volume(projection.apply(thickening_matrix(thin.grid, SCAN), thin), SCAN)


@pytest.mark.parametrize("thick", [(5, 5), (5, 2.5), (3, 2), (2.5, 1.25), (6.7, 5), (5, 7)])
@pytest.mark.parametrize("thin", [(1.0, 1.0), (2.0, 1.0), (0.8, 0.8)])
def test_slices_of_any_thickness_and_increment_are_made_as_thick_as_the_scan_s(thick, thin):
    """A step and a wave, both seen through bells: the truth is known, at any sampling."""
    scan = Grid(14, thick[1], thick[0], (1, 1), (1.0, 1.0))
    restored = thin_grid(scan, *thin)
    fine = Grid(4000, 0.05, 0.05, (1, 1), (1.0, 1.0), scan.start_mm - 40)
    z_mm = fine.centres_mm()
    inside = 100 * np.sin(z_mm / 6) + 300 * (z_mm > 20)
    seen = projection.profile_matrix(profiles.gaussian(scan.thickness_mm), fine, scan) @ inside
    has = (
        projection.profile_matrix(profiles.gaussian(restored.thickness_mm), fine, restored) @ inside
    )
    again = thickening_matrix(restored, scan) @ has
    np.testing.assert_allclose(again[1:-1], seen[1:-1], atol=2.0)
    np.testing.assert_allclose(again, seen, atol=0.1 * np.ptp(seen))


@pytest.mark.parametrize("grid", [SCAN, replace(SCAN, increment_mm=2.5), replace(SCAN, n=1)])
def test_what_is_as_thick_as_the_scan_is_compared_as_it_is(grid):
    weights = thickening_matrix(grid, grid).toarray()
    np.testing.assert_allclose(weights, np.eye(grid.n), atol=1e-12)


def test_grids_of_two_frames_are_not_compared():
    with pytest.raises(ValueError, match="share origin"):
        thickening_matrix(replace(SCAN, origin_mm=(1.0, 0.0, 0.0)), SCAN)


def test_a_restored_scan_that_gives_its_slices_back_is_consistent_to_rounding():
    thin = patient(thin_grid(SCAN, 1.0, 1.0))
    found = quality.report(thin, made_thick(thin))
    assert len(found.slices) == SCAN.n
    assert max(abs(check.bias) for check in found.slices) < 1e-3
    assert max(check.rmse for check in found.slices) < 1e-3
    assert quality.warnings(found) == []
    assert "blurred by 4.9 mm" in found.to_json()["consistency"]["profile"]


def test_a_drift_in_hu_is_the_bias_and_is_flagged_where_it_is():
    thin = patient(thin_grid(SCAN, 1.0, 1.0))
    drifted = thin.voxels.copy()
    drifted[30:] += 25
    found = quality.report(thin.with_voxels(drifted), made_thick(thin))
    assert found.slices[-1].bias == pytest.approx(25, abs=0.1)
    flagged = [check.index for check in found.slices if check.flagged]
    assert flagged
    assert min(flagged) >= 4  # the bell of the slice at 22.5 mm reaches into what begins at 30
    assert "made thick again" in " ".join(quality.warnings(found))


@pytest.mark.parametrize("sigma", [3.0, 25.0])
def test_noise_is_measured_on_flat_and_sloping_ground_alike(sigma):
    flat = Grid(8, 1.0, 1.0, (96, 96), (0.7, 0.7))
    slope = np.broadcast_to(np.arange(96.0) * 3, flat.zyx)
    white = sigma * np.random.default_rng(1).standard_normal(flat.zyx)
    for ground in (0 * slope, slope):
        found = fitted_on.noise(Volume((ground + white).astype(np.float32), flat))
        assert found == pytest.approx(sigma, rel=0.05)


def test_a_scan_like_those_fitted_on_is_inside_and_every_difference_is_named():
    like = [
        fitted_on.of_scan(patient(SCAN, 12.0), "B30f"),
        fitted_on.of_scan(patient(SCAN, 15.0), "B31f"),
    ]
    fitted = fitted_on.of_scans(like)
    assert fitted_on.outside(fitted, fitted_on.of_scan(patient(SCAN, 14.0), "B30f")) == []
    thinner = replace(SCAN, thickness_mm=3.0, increment_mm=2.0, pixel_mm=(0.7, 0.7))
    words = " ".join(fitted_on.outside(fitted, fitted_on.of_scan(patient(thinner, 60.0), "B70f")))
    for part in ("3 mm thick", "every 2 mm", "pixels of 0.7", "noise of", "kernel B70f"):
        assert part in words
    brain = fitted_on.of_scan(patient(SCAN, 12.0, "MR"))
    assert fitted_on.outside(fitted, brain) == ["the scan is MR; fitted on CT"]


def test_weights_that_say_nothing_are_not_trusted_silently():
    assert fitted_on.outside({}, fitted_on.of_scan(patient(SCAN))) != []
