"""Total variation along z: the minimum it claims to be, edges and means kept."""

import numpy as np
import pytest

from thinslice.operators.total_variation import smoothed

RNG = np.random.default_rng(0)
SCAN = (100 * RNG.standard_normal((20, 9, 5))).astype(np.float32)


def cost(x: np.ndarray, y: np.ndarray, weight: float) -> np.ndarray:
    """Of every column."""
    return ((x - y) ** 2).sum(0) / 2 + weight * np.abs(np.diff(x, axis=0)).sum(0)


def test_two_slices_approach_each_other_by_the_weight_until_they_meet():
    pair = np.array([0.0, 10.0], np.float32).reshape(2, 1, 1)
    np.testing.assert_allclose(smoothed(pair.copy(), 2.0, 200)[:, 0, 0], [2, 8], atol=1e-3)
    np.testing.assert_allclose(smoothed(pair.copy(), 50.0, 200)[:, 0, 0], [5, 5], atol=1e-3)


def test_no_volume_nearby_costs_less():
    best = smoothed(SCAN.copy(), 30.0, 500)
    lowest = cost(best, SCAN, 30.0)
    for _ in range(50):
        other = best + 3 * RNG.standard_normal(best.shape).astype(np.float32)
        assert (cost(other, SCAN, 30.0) >= lowest - 1e-2).all()


def test_means_stay_constants_stay_and_a_weight_of_zero_changes_nothing():
    np.testing.assert_allclose(smoothed(SCAN.copy(), 30.0).mean(0), SCAN.mean(0), atol=1e-3)
    level = np.full((7, 3, 3), -876.0, np.float32)
    np.testing.assert_array_equal(smoothed(level.copy(), 30.0), level)
    np.testing.assert_array_equal(smoothed(SCAN.copy(), 0.0), SCAN)
    np.testing.assert_array_equal(smoothed(SCAN[:1].copy(), 30.0), SCAN[:1])
    with pytest.raises(ValueError, match="starts at 0"):
        smoothed(SCAN.copy(), -1.0)


def test_slabs_change_nothing():
    np.testing.assert_array_equal(smoothed(SCAN.copy(), 9.0, slab=2), smoothed(SCAN.copy(), 9.0))
