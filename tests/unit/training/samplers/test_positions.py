"""Crops for networks of positions: truth at the positions, thick slices around them."""

import numpy as np
import pytest

from support.wave_pairs import pairs
from thinslice.training.samplers.crops import read_at
from thinslice.training.samplers.either_view import position_planes
from thinslice.training.samplers.positions import BlockShape, Positions, step_of
from thinslice.volume import Window

SHAPE = BlockShape(depth=5, slices=7, side=(8, 10))
WINDOW = Window(-1024.0, 3071.0)


def drawn(anywhere: float, seed: int = 0, make=Positions, shape=SHAPE):
    sampler = make(pairs(1, 2), shape, 4, ct=(-1024.0, 3071.0), flips=False, anywhere=anywhere)
    return [tensor.numpy() for tensor in sampler(np.random.default_rng(seed))]


def whereabouts(x_ZYX: np.ndarray):
    """The pair, the first slice and the corner of the crop, by its values."""
    for pair in pairs(1, 2):
        unit = WINDOW.to_unit(pair.thick.voxels)
        d, h, w = x_ZYX.shape
        views = np.lib.stride_tricks.sliding_window_view(unit, (d, h, w))
        places = np.argwhere(np.abs(views - x_ZYX).max(axis=(3, 4, 5)) < 1e-6)
        if len(places):
            return pair, *places[0]
    raise AssertionError("no such crop")


@pytest.mark.parametrize("anywhere", [0.0, 1.0])
def test_the_truth_is_the_thin_scan_at_the_positions(anywhere):
    x, at, step, y = drawn(anywhere)
    assert (x.shape, at.shape, step.shape) == ((4, 1, 5, 8, 10), (4, 7), (4,))
    assert y.shape == (4, 1, 7, 8, 10)
    assert ((at >= 0) & (at <= 4)).all()
    for b in range(4):
        pair, z, row, column = whereabouts(x[b, 0])
        at_mm = pair.thick.grid.start_mm + (z + at[b]) * pair.thick.grid.increment_mm
        if not anywhere:
            at_mm = np.rint(at_mm)  # thin slices are where millimetres are whole
        window = slice(row, row + 8), slice(column, column + 10)
        expected = WINDOW.to_unit(read_at(pair.thin, at_mm, *window))
        np.testing.assert_allclose(y[b, 0], expected, atol=1e-4)


def test_thin_slices_are_asked_for_with_the_thin_increment_and_all_else_with_any():
    assert np.allclose(drawn(0.0)[2], 1 / 2.5)
    any_step = np.concatenate([drawn(1.0, seed)[2] for seed in range(5)])
    assert any_step.min() >= 1 / 2.5
    assert any_step.max() <= 1
    assert np.ptp(any_step) > 0.3
    assert step_of(pairs(1)[0]) == pytest.approx(0.4)


def test_planes_are_of_either_view_and_keep_what_goes_with_them():
    seen = set()
    for seed in range(12):
        x, at, _, y = drawn(0.0, seed, position_planes, BlockShape(5, 7, (9, 9)))
        assert (x.shape, y.shape, at.shape) == ((4, 1, 5, 9), (4, 1, 7, 9), (4, 7))
        for crop in (x[0, 0][:, None], x[0, 0][:, :, None]):  # coronal, sagittal
            try:
                whereabouts(crop)
            except AssertionError:
                continue
            seen.add(crop.shape[1] == 1)
    assert seen == {True, False}


def test_a_block_needs_two_slices():
    with pytest.raises(ValueError, match="positions lie between two slices"):
        BlockShape(1, 4, (8, 8))
