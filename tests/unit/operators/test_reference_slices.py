"""Axial slices as coarse along rows as a plane is along z."""

from dataclasses import replace

import numpy as np
import pytest

from thinslice.operators.reference_slices import as_it_is, beside_thick_rows, thick_rows
from thinslice.volume import Grid

NATIVE = Grid(41, 1.0, 1.25, (12, 20), (0.7, 0.9))
THICK = replace(NATIVE, n=8, increment_mm=5.0, thickness_mm=5.0)


@pytest.mark.parametrize("n", [1, 2, 5, 12, 37])
def test_every_row_is_a_mean_of_rows(n):
    weights = thick_rows(n, THICK, NATIVE).toarray()
    assert weights.shape == (n, n)
    assert weights.min() >= 0
    np.testing.assert_allclose(weights.sum(1), 1)
    np.testing.assert_allclose(weights, weights[::-1, ::-1], atol=1e-12)


def test_a_ramp_stays_and_what_is_finer_than_thick_slices_goes():
    ramp = np.arange(41.0)
    weights = thick_rows(41, THICK, NATIVE)
    np.testing.assert_allclose((weights @ ramp)[5:-5], ramp[5:-5], atol=1e-9)
    stripes = np.tile([1.0, -1.0], 21)[:41]
    assert np.abs(weights @ stripes)[5:-5].max() < 0.15


def test_between_thick_rows_it_is_linear():
    y = thick_rows(41, THICK, NATIVE) @ np.random.default_rng(0).normal(size=41)
    bends = np.abs(np.diff(y, 2)) > 1e-9
    assert np.flatnonzero(bends).tolist() == [4, 9, 14, 19, 24, 29, 34]


def test_slices_that_are_only_taken_out_are_no_means():
    sparse = replace(THICK, thickness_mm=0.5)
    weights = thick_rows(41, sparse, NATIVE).toarray()
    np.testing.assert_allclose(weights[::5], np.eye(41)[::5], atol=1e-12)


def test_the_same_slices_change_nothing():
    same = replace(NATIVE, thickness_mm=1.0)
    np.testing.assert_allclose(thick_rows(9, same, NATIVE).toarray(), np.eye(9), atol=1e-12)


def test_what_is_shown_of_a_slice():
    slice_YX = np.random.default_rng(1).random((12, 20)).astype(np.float32)
    np.testing.assert_array_equal(as_it_is(slice_YX, THICK, NATIVE), slice_YX[None])
    shown_CYX = beside_thick_rows(slice_YX, THICK, NATIVE)
    assert shown_CYX.dtype == np.float32
    np.testing.assert_array_equal(shown_CYX[0], slice_YX)
    np.testing.assert_allclose(shown_CYX[1], thick_rows(12, THICK, NATIVE) @ slice_YX, atol=1e-6)
