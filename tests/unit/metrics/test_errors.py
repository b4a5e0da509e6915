"""Measures keep their laws: closed forms, positions, offset, data consistency."""

import math

import numpy as np
import pytest
from scipy import ndimage
from scipy.sparse import csr_array
from skimage.metrics import peak_signal_noise_ratio

from thinslice.audit import selftest
from thinslice.metrics.consistency import consistency
from thinslice.metrics.errors import LUNG, mae, psnr, rmse, squared_errors
from thinslice.metrics.scored_slices import (
    border_slices,
    inner_slices,
    observed,
    phases,
    rmse_by_phase,
)
from thinslice.metrics.z_offset import z_offset_slices
from thinslice.volume import Grid

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
    monkeypatch.setattr(
        selftest, "ssim_views", lambda r, t, masks, w: dict.fromkeys(masks, (0.999, 1))
    )
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


# Slices


@pytest.mark.parametrize(
    ("increment_mm", "thickness_mm", "expected"),
    [(5, 5, 5), (5, 1, 5), (2, 5, 5), (2.5, 3.2, 4), (0.7 * 7, 1, 5)],
)
def test_border_covers_increment_and_thickness(increment_mm, thickness_mm, expected):
    assert border_slices(GRID, thick_of(increment_mm, thickness_mm)) == expected


def test_rounding_does_not_drop_one_more_slice():
    thin = GRID.with_slices(n=30, increment_mm=0.8, thickness_mm=1, start_mm=0)
    assert border_slices(thin, thick_of(0.8 * 3, 1)) == 3


def test_a_scan_shorter_than_its_borders_is_refused():
    with pytest.raises(ValueError, match="30 thin slices, 15 of them"):
        inner_slices(GRID, thick_of(15, 5))


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


def test_frequencies_that_the_thick_scan_lost_do_not_vote():
    """Detail finer than the thick Nyquist limit is guessed: where it lies says nothing."""
    z = np.arange(60)[:, None, None] + np.zeros((1, 12, 12))
    coarse, fine = np.sin(2 * np.pi * 0.05 * z), np.sin(2 * np.pi * 0.2 * z)
    guessed = np.sin(2 * np.pi * 0.2 * (z - 1))
    mask = np.ones(z.shape, bool)
    assert abs(z_offset_slices(coarse + guessed, coarse + fine, mask, factor=5)) < 0.01
    assert z_offset_slices(coarse + guessed, coarse + fine, mask) > 0.5


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
    assert consistency(thin + wiggle, thick, A, mask).n == thick.size
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
