"""Slices shifted in their own planes, as gantry tilt shifts them."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from thinslice.operators.in_plane_shifts import common_grid, from_common, measured, onto_common
from thinslice.volume import Grid

FRAME = Grid(3, 5.0, 5.0, (20, 24), (0.8, 0.5), origin_mm=(-6.0, -8.0, 30.0))


def smooth(n):
    rng = np.random.default_rng(4)
    return np.array([gaussian_filter(rng.normal(0, 300, (20, 24)), 1.3) for _ in range(n)])


@pytest.mark.parametrize("step", [(0.3, 0.0), (-0.37, 0.0), (0.21, -0.11), (0.8, 1.0)])
def test_every_pixel_keeps_its_place_in_the_patient(step):
    """A ramp in patient space is the same ramp on the common pixels."""
    shifts_mm = np.outer(np.arange(3), step)
    grid, shifts = common_grid(FRAME, shifts_mm)
    slices = []
    for dy, dx in shifts_mm:
        y = FRAME.origin_mm[1] + dy + 0.8 * np.arange(20)[:, None]
        x = FRAME.origin_mm[0] + dx + 0.5 * np.arange(24)
        slices.append(5 * y + 3 * x)
    common = onto_common(np.array(slices), shifts, grid.shape)
    y = grid.origin_mm[1] + 0.8 * np.arange(grid.shape[0])[:, None]
    x = grid.origin_mm[0] + 0.5 * np.arange(grid.shape[1])
    inside = measured(shifts, FRAME.shape, grid.shape)
    inside[:, :4], inside[:, -4:], inside[:, :, :4], inside[:, :, -4:] = (False,) * 4
    worst = np.where(inside, np.abs(common - (5 * y + 3 * x)), 0)
    assert worst[:, 6:14, 6:18].max() < 0.05


@pytest.mark.parametrize("step", [(0.3, 0.0), (-0.37, 0.2)])
def test_there_and_back_loses_nothing_that_a_kernel_leaves(step):
    slices = smooth(3)
    grid, shifts = common_grid(FRAME, np.outer(np.arange(3), step))
    common = np.nan_to_num(onto_common(slices, shifts, grid.shape))
    back = from_common(common, shifts, FRAME.shape)
    assert np.abs(back - slices)[:, 4:-4, 4:-4].max() < 0.02 * slices.std()


def test_whole_pixels_are_copied_and_what_no_slice_covers_is_marked():
    slices = smooth(3).astype(np.float32)
    grid, shifts = common_grid(FRAME, np.outer([0, 1, 2], (1.6, 0)))
    assert grid.shape == (24, 24)
    common = onto_common(slices, shifts, grid.shape)
    inside = measured(shifts, FRAME.shape, grid.shape)
    np.testing.assert_array_equal(np.isfinite(common), inside)
    for k in range(3):
        np.testing.assert_array_equal(common[k, 2 * k : 2 * k + 20], slices[k])
    np.testing.assert_array_equal(from_common(common, shifts, FRAME.shape), slices)


def test_no_pixel_outside_the_slice_counts_as_measured():
    grid, shifts = common_grid(FRAME, np.outer([0, 1, 2], (0.3, 0)))
    rows = measured(shifts, FRAME.shape, grid.shape)[:, :, 0]
    at = np.arange(grid.shape[0]) * 0.8 + grid.origin_mm[1]
    for k, row in enumerate(rows):
        first = FRAME.origin_mm[1] + 0.3 * k
        np.testing.assert_array_equal(row, (at >= first - 1e-9) & (at <= first + 19 * 0.8 + 1e-9))
