"""Slice pairs of thin and thick scans are found by millimetres and compared as defined."""

import math

import numpy as np
import pytest
from scipy import ndimage
from scipy.sparse import csr_array

from thinslice.metrics.slice_pairs import WINDOW, pairs_apart, slice_pairs
from thinslice.metrics.ssim import ssim_map
from thinslice.volume import Grid, Volume

GRID = Grid(n=30, increment_mm=1.0, thickness_mm=1.0, shape=(16, 18), pixel_mm=(1.0, 1.0))


def thick_of(increment_mm, thickness_mm, start_mm=0.0, n=6):
    return GRID.with_slices(
        n=n, increment_mm=increment_mm, thickness_mm=thickness_mm, start_mm=start_mm
    )


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


def test_a_thick_slice_beyond_the_thin_scan_has_no_match():
    thin = smooth_scan()
    beyond = Volume(thin.voxels[:1], thick_of(5, 5, start_mm=30.0, n=1))
    assert pairs_apart(thin, beyond, 0.0) == []
    assert pairs_apart(thin, beyond, 1.0) == [(29, 0)]
    row = slice_pairs(thin, beyond)[0]
    assert row["n"] == 0
    assert math.isnan(row["psnr_db"])


def test_similarity_of_pairs_is_valid_only():
    """Equal inside, unlike at the last column: only windows that reach it notice."""
    thin = smooth_scan()
    thick = thin.voxels[::5].copy()
    thick[:, :, -1] += 500
    row = slice_pairs(thin, Volume(thick, thick_of(5, 5)))[0]
    maps = [ssim_map(a, b, WINDOW) for a, b in zip(thick, thin.voxels[::5])]
    assert row["ssim"] == pytest.approx(np.mean([m[5:-5, 5:-5] for m in maps]), abs=1e-9)
    assert row["ssim"] > np.mean(maps) + 1e-6


def test_likeness_falls_from_match_to_far():
    thin = smooth_scan()
    A = csr_array(np.kron(np.eye(6), np.full(5, 0.2)))
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
