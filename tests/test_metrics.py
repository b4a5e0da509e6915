"""Measures keep their laws: closed forms, masks, positions, consistency."""

import math

import numpy as np
import pytest
from scipy import ndimage
from scipy.sparse import csr_array
from skimage.metrics import peak_signal_noise_ratio

from thinslice.metrics.body_mask import body_mask, mask_digest
from thinslice.metrics.consistency import consistency
from thinslice.metrics.mae import mae
from thinslice.metrics.phases import phases, rmse_by_phase
from thinslice.metrics.psnr import psnr
from thinslice.metrics.ranges import LUNG
from thinslice.metrics.rmse import rmse, squared_errors
from thinslice.metrics.scored_slices import border_slices, kept_slices, observed
from thinslice.metrics.slice_pairs import pairs_apart, slice_pairs
from thinslice.metrics.z_offset import z_offset_slices
from thinslice.protocols import selftest
from thinslice.volume import Grid, Volume

GRID = Grid(n=30, increment_mm=1.0, thickness_mm=1.0, shape=(16, 18), pixel_mm=(1.0, 1.0))


def pair(shape=(6, 16, 18), seed=0):
    rng = np.random.default_rng(seed)
    thin = rng.normal(-200, 400, shape).astype(np.float32)
    return thin + rng.normal(0, 30, shape).astype(np.float32), thin


def thick_of(increment_mm, thickness_mm, start_mm=0.0, n=6):
    return GRID.with_slices(
        n=n, increment_mm=increment_mm, thickness_mm=thickness_mm, start_mm=start_mm
    )


# Closed forms


@pytest.mark.parametrize("check", selftest.run(), ids=lambda c: c.name)
def test_closed_form(check):
    assert check.ok, f"expected {check.expected}, found {check.found}"


def test_the_selftest_can_fail(monkeypatch):
    """A measure that halves errors is found out."""
    monkeypatch.setattr(selftest, "rmse", lambda *a: rmse(*a) / 2)
    monkeypatch.setattr(selftest, "ssim", lambda *a: (0.999, 1))
    broken = {c.name.split()[0] for c in selftest.run() if not c.ok}
    assert broken == {"RMSE", "SSIM"}


def test_the_selftest_repeats_itself():
    assert selftest.run() == selftest.run()


def test_errors_equal_float64_numpy():
    r, t = pair()
    mask = np.random.default_rng(1).random(r.shape) < 0.4
    error = (r.astype(float) - t.astype(float))[mask]
    assert rmse(r, t, mask) == pytest.approx(np.sqrt(np.square(error).mean()), rel=1e-7)
    assert mae(r, t, mask) == pytest.approx(np.abs(error).mean(), rel=1e-7)


def test_psnr_equals_scikit_image():
    r, t = pair()
    clipped = [v.clip(LUNG.low, LUNG.high).astype(float) for v in (t, r)]
    expected = peak_signal_noise_ratio(*clipped, data_range=1400)
    assert psnr(r, t, np.ones(r.shape, bool), LUNG) == pytest.approx(expected, abs=1e-6)


def test_an_empty_mask_has_no_score():
    r, t = pair()
    mask = np.zeros(r.shape, bool)
    assert all(math.isnan(v) for v in (rmse(r, t, mask), mae(r, t, mask), psnr(r, t, mask, LUNG)))


# Body


def patient(n=6, size=72):
    """A disk of tissue with two lungs above a thin table, air around."""
    y, x = np.mgrid[:size, :size]
    hu = np.full((n, size, size), -1000, np.float32)
    body = np.hypot(y - 30, x - 36) < 24
    hu[:, body] = 40
    hu[:, np.hypot(y - 28, x - 26) < 8] = -850
    hu[:, np.hypot(y - 28, x - 46) < 8] = -850
    hu[:, 60:63] = 200
    return hu, np.broadcast_to(body, hu.shape)


def test_body_holds_the_lungs_up_to_the_last_slice_and_no_table():
    hu, body = patient()
    found = body_mask(hu, (1.0, 1.0))
    assert (found == body).mean() > 0.99
    assert found[0, 28, 26]
    assert found[-1, 28, 46]
    assert not found[:, 58:].any()


def test_body_is_one_piece():
    hu, _ = patient()
    hu[2:4, 5:14, 2:11] = 100  # thick enough to survive the opening
    assert not body_mask(hu, (1.0, 1.0))[:, 5:14, 2:9].any()


def test_opening_is_in_millimetres():
    """A 3 pixel sheet goes at 1 mm pixels and stays at 3 mm pixels."""
    sheet = np.full((1, 40, 40), -1000, np.float32)
    sheet[:, 20:23] = 100
    assert not body_mask(sheet, (1.0, 1.0)).any()
    assert body_mask(sheet, (3.0, 3.0)).sum() == 120


def test_air_inside_a_body_cut_by_the_image_stays_out_where_it_meets_the_edge():
    hu = np.full((1, 30, 30), 40, np.float32)
    hu[:, 10:20, :12] = -1000
    hu[:, 10:20, 18:24] = -1000
    found = body_mask(hu, (1.0, 1.0))[0]
    assert not found[12:18, 0].any()
    assert found[12:18, 20].all()


def test_digest_sees_one_voxel_and_the_shape():
    mask = np.zeros((4, 8, 8), bool)
    other = mask.copy()
    other[1, 2, 3] = True
    digests = {mask_digest(m) for m in (mask, other, mask.reshape(8, 4, 8))}
    assert len(digests) == 3
    assert mask_digest(mask.copy(order="F")) == mask_digest(mask)


# Slices


@pytest.mark.parametrize(
    ("increment_mm", "thickness_mm", "expected"),
    [(5, 5, 5), (5, 1, 5), (2, 5, 5), (2.5, 3.2, 4), (0.7 * 7, 1, 5)],
)
def test_border_covers_increment_and_thickness(increment_mm, thickness_mm, expected):
    assert border_slices(GRID, thick_of(increment_mm, thickness_mm)) == expected


def test_rounding_does_not_drop_one_more_slice():
    thin = GRID.with_slices(n=30, increment_mm=0.7, thickness_mm=1, start_mm=0)
    assert border_slices(thin, thick_of(0.7 * 3, 1)) == 3


def test_a_scan_shorter_than_its_borders_is_refused():
    with pytest.raises(ValueError, match="30 thin slices, 15 of them"):
        kept_slices(GRID, thick_of(15, 5))


def test_observed_needs_the_place_and_the_thickness():
    assert np.flatnonzero(observed(GRID, thick_of(5, 1))).tolist() == [0, 5, 10, 15, 20, 25]
    assert not observed(GRID, thick_of(5, 5)).any()
    assert not observed(GRID, thick_of(5, 1, start_mm=0.5)).any()
    shifted = Grid(**{**vars(thick_of(5, 1)), "origin_mm": (0.0, 0.0, 2.0)})
    assert np.flatnonzero(observed(GRID, shifted)).tolist() == [2, 7, 12, 17, 22, 27]


@pytest.mark.parametrize(
    ("increment_mm", "start_mm", "expected"),
    [
        (5, 0, [0, 1, 2, 2, 1, 0, 1]),
        (4, 1.5, [1, 0, 0, 1, 1, 0, 0]),
        (2.5, 0, [0, 1, 0, 0, 1, 0, 1]),
    ],
)
def test_phase_is_the_distance_in_thin_increments(increment_mm, start_mm, expected):
    thick = thick_of(increment_mm, 5, start_mm, n=12)
    assert phases(GRID, thick)[:7].tolist() == expected


def test_phases_regroup_the_whole_error():
    r, t = pair()
    mask = np.random.default_rng(2).random(r.shape) < 0.5
    found = rmse_by_phase(r, t, mask, np.array([0, 1, 2, 2, 1, 0]))
    pooled = sum(value**2 * n for value, n in found.values()) / mask.sum()
    assert list(found) == [0, 1, 2]
    assert np.sqrt(pooled) == pytest.approx(rmse(r, t, mask))
    sums, counts = squared_errors(r, t, mask)
    assert found[1][0] == pytest.approx(np.sqrt((sums[1] + sums[4]) / (counts[1] + counts[4])))


# Offset along z


def columns(shift=0.0, blur=0.0):
    """Smooth random columns [40, 12, 12] moved by ``shift`` slices, cut out of a longer scan."""
    long = np.random.default_rng(3).normal(0, 100, (400, 12, 12))
    long = ndimage.gaussian_filter1d(long, 2.0, axis=0)
    if blur:
        long = ndimage.gaussian_filter1d(long, blur, axis=0)
    f = np.fft.rfftfreq(400)[:, None, None]
    moved = np.fft.irfft(np.fft.rfft(long, axis=0) * np.exp(-2j * np.pi * f * shift), 400, axis=0)
    return moved[180:220]


@pytest.mark.parametrize("shift", [-1.0, -0.25, 0.0, 0.1, 0.5])
@pytest.mark.parametrize("blur", [0.0, 3.0])
def test_offset_is_found_with_its_sign_and_despite_blur(shift, blur):
    mask = np.ones((40, 12, 12), bool)
    found = z_offset_slices(columns(shift, blur), columns(), mask)
    assert found == pytest.approx(shift, abs=0.1 * abs(shift) + 0.03)


def test_a_volume_without_contrast_has_no_offset():
    flat = np.ones((20, 12, 12), np.float32)
    assert math.isnan(z_offset_slices(flat, flat, flat > 0))


# Data consistency


def averaging(n_thin=30, factor=5):
    return csr_array(np.kron(np.eye(n_thin // factor), np.full(factor, 1 / factor)))


def test_error_that_averages_out_is_consistent():
    thin = np.random.default_rng(4).normal(0, 100, (30, 40, 18)).astype(np.float32)
    A, mask = averaging(), np.ones((30, 40, 18), bool)
    thick = (A @ thin.reshape(30, -1)).reshape(6, 40, 18).astype(np.float32)
    wiggle = np.tile([20, -20, 0, 10, -10], 6).astype(np.float32)[:, None, None]
    assert consistency(thin + wiggle, thick, A, mask).rmse < 1e-3
    assert consistency(thin + wiggle + 7, thick, A, mask).bias == pytest.approx(7, abs=1e-3)


def test_consistency_counts_thick_voxels_that_rest_on_scored_ones():
    thin = np.zeros((30, 8, 9), np.float32)
    mask = np.ones(thin.shape, bool)
    mask[:, :, 4:] = False
    mask[10:13] = False  # three fifths of one thick slice
    found = consistency(thin, np.zeros((6, 8, 9), np.float32), averaging(), mask, slice(4, 25))
    assert found.n == 3 * 8 * 4  # thick slices 1, 3 and 4 of six


def test_consistency_refuses_a_matrix_of_other_grids():
    thin = np.zeros((30, 8, 9), np.float32)
    with pytest.raises(ValueError, match=r"\(6, 30\)"):
        consistency(thin, np.zeros((5, 8, 9), np.float32), averaging(), thin == 0)


# Slice pairs


def smooth_scan():
    noise = np.random.default_rng(5).normal(0, 1, GRID.zyx)
    smooth = ndimage.gaussian_filter(noise, (2, 2, 2)) * 3000
    return Volume(smooth.astype(np.float32), GRID)


def test_pairs_are_counted_in_millimetres():
    thin = smooth_scan()
    thick = Volume(thin.voxels[::5], thick_of(5, 5))
    assert pairs_apart(thin, thick, 0.0) == [(5 * j, j) for j in range(6)]
    assert pairs_apart(thin, thick, 2.0)[:3] == [(2, 0), (3, 1), (7, 1)]
    half = Volume(thin.voxels, GRID.with_slices(n=30, increment_mm=0.5, thickness_mm=1, start_mm=0))
    assert pairs_apart(half, thick, 1.0)[:3] == [(2, 0), (8, 1), (12, 1)]


def test_likeness_falls_from_match_to_far():
    thin = smooth_scan()
    A = averaging()
    thick = (A @ thin.voxels.reshape(30, -1)).reshape(6, 16, 18)
    rows = slice_pairs(thin, Volume(thick.astype(np.float32), thick_of(5, 5, start_mm=2.0)))
    assert [row["relation"] for row in rows] == ["Match", "Near", "Far"]
    assert [row["n"] for row in rows] == [6, 12, 12]
    assert rows[0]["psnr_db"] > rows[1]["psnr_db"] > rows[2]["psnr_db"]
    assert rows[0]["ssim"] > rows[1]["ssim"] > rows[2]["ssim"]


def test_pooled_psnr_is_one_mean_square_error():
    thin = smooth_scan()
    thick = Volume(thin.voxels[::5] + np.float32(30.72), thick_of(5, 5))
    assert slice_pairs(thin, thick)[0]["psnr_db"] == pytest.approx(40, abs=1e-4)


def test_pairs_with_other_pixels_are_refused():
    thin = smooth_scan()
    moved = Grid(**{**vars(thick_of(5, 5)), "origin_mm": (0.5, 0.0, 0.0)})
    with pytest.raises(ValueError, match=r"0\.5 mm apart"):
        slice_pairs(thin, Volume(thin.voxels[::5], moved))
