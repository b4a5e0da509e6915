"""Thick slices as a measurement of thin ones: what counts, and what a step towards them does."""

from dataclasses import replace

import numpy as np

from support.tiny_methods import THICK, THIN, thick
from thinslice.operators.measured_slices import Measured
from thinslice.volume import Grid, Window

WINDOW = Window(-1024.0, 3071.0)


def measured(grid: Grid = THIN, of: Grid = THICK) -> Measured:
    return Measured.of(thick(of), grid, WINDOW)


def test_undamped_the_slices_agree_wherever_a_thick_slice_lies_wholly_on_them():
    slices = measured()
    some = slices.matrix.any(1)
    assert some.all()
    start = np.random.default_rng(0).random(THIN.zyx, np.float32)
    near = slices.approached(start.copy(), 0.0).reshape(THIN.n, -1)
    unit = slices.unit.reshape(THICK.n, -1)
    np.testing.assert_allclose((slices.matrix @ near)[some], unit[some], atol=1e-5)
    half = slices.approached(start.copy(), 1.0).reshape(THIN.n, -1)
    left = [np.abs((slices.matrix @ x - unit)[some]).mean() for x in (half, start.reshape(41, -1))]
    assert left[0] < 0.6 * left[1]


def test_single_slices_are_taken_as_they_are():
    every_fifth = replace(THICK, thickness_mm=THIN.thickness_mm)
    rows = measured(of=every_fifth).matrix
    np.testing.assert_allclose(rows[1:-1].max(1), 1.0, atol=1e-6)
    assert ((rows > 1e-6).sum(1) <= 1).all()


def test_a_grid_without_a_whole_thick_slice_is_left_alone():
    one = replace(THIN, n=1, start_mm=14.2)
    slices = measured(one)
    start = np.random.default_rng(0).random(one.zyx, np.float32)
    np.testing.assert_array_equal(slices.approached(start.copy(), 0.0), start)
    assert slices.depth == 0


def test_a_block_knows_the_thick_slices_within_it_and_is_deep_enough_for_one():
    slices = measured()
    for first in range(THIN.n - slices.depth):
        z = np.arange(first, first + slices.depth)
        assert len(slices.within(z))
    z = np.arange(30, 48)  # past the end: those are nobody's
    at = (z, np.arange(8, 16), np.arange(4))
    rows = slices.within(z)
    weights, values, counts = slices.block(rows, at)
    np.testing.assert_allclose(weights.sum(1), 1.0, atol=1e-6)
    assert not weights[:, z >= THIN.n].any()
    np.testing.assert_array_equal(values[:, :4], slices.unit[rows][:, 8:12, :4])
    np.testing.assert_array_equal(values[:, 5], values[:, 4])  # the last row, repeated
    assert counts.all()
