"""The normalised surface distance of masks that are moved by a known distance."""

import math

import numpy as np
import pytest

from thinslice.metrics.surface_distance import surface_dice

BOX = np.zeros((12, 14, 16), bool)
BOX[3:8, 4:10, 4:12] = True
EMPTY = np.zeros_like(BOX)
ONE = (1.0, 1.0, 1.0)


def test_equal_masks_agree_and_one_empty_mask_has_nothing_to_agree_with():
    assert surface_dice(BOX, BOX, ONE, 0.0) == 1.0
    assert surface_dice(BOX, EMPTY, ONE, 5.0) == surface_dice(EMPTY, BOX, ONE, 5.0) == 0.0
    assert math.isnan(surface_dice(EMPTY, EMPTY, ONE, 1.0))


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_shift_within_the_tolerance_is_none_and_spacing_is_that_of_the_axis(axis):
    moved = np.roll(BOX, 1, axis)
    spacing = tuple(3.0 if k == axis else 1.0 for k in range(3))
    assert surface_dice(moved, BOX, ONE, 1.0) == 1.0
    assert surface_dice(moved, BOX, spacing, 3.0) == 1.0
    assert surface_dice(moved, BOX, spacing, 2.9) < 1.0


def test_two_planes_three_voxels_apart():
    """Each mask is its own surface; all or nothing is near."""
    first, second = np.zeros((2, 9, 5, 5), bool)
    first[2], second[5] = True, True
    assert surface_dice(first, second, (0.5, 1, 1), 1.5) == 1.0
    assert surface_dice(first, second, (0.5, 1, 1), 1.4) == 0.0


def test_half_of_the_surface_agrees():
    """One of two equal planes is found at its place, the other one is missed."""
    truth, mask = np.zeros((2, 9, 5, 5), bool)
    truth[[2, 7]], mask[2] = True, True
    assert surface_dice(mask, truth, ONE, 1.0) == pytest.approx((25 + 25) / 75)
