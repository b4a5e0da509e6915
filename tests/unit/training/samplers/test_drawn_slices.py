"""Drawn thick slices: weights of one, the centres where they belong, cubic as elsewhere."""

import numpy as np
import pytest

from thinslice.operators.interpolation import resample_z_array
from thinslice.training.samplers import drawn_slices
from thinslice.training.samplers.drawn_slices import FineRows

ROWS = FineRows(112, 0.7, 0.7)
DRAWS = range(60)


def drawn(seed: int, rows: FineRows = ROWS) -> drawn_slices.Slices:
    slices = drawn_slices.draw(rows, 64, np.random.default_rng(seed))
    assert slices is not None
    return slices


@pytest.mark.parametrize("seed", DRAWS)
def test_a_ramp_stays_a_ramp(seed: int) -> None:
    slices = drawn(seed)
    ramp = np.arange(ROWS.n, dtype=np.float32)[:, None]
    thin = (slices.thin @ ramp)[:, 0]
    step = slices.thin_increment_mm / ROWS.increment_mm
    assert np.allclose(np.diff(thin)[1:-1], step, atol=1e-2)  # the first and last: cut as well
    whole = np.flatnonzero(slices.thick[:, [0, -1]].max(1) == 0)  # the rest: cut at the ends
    thick = (slices.thick @ ramp)[whole, 0]
    assert np.allclose(np.diff(thick), slices.increment_mm / ROWS.increment_mm, atol=1e-2)


@pytest.mark.parametrize("seed", DRAWS)
def test_rows_of_every_matrix_sum_to_one(seed: int) -> None:
    slices = drawn(seed)
    for matrix in (slices.thick, slices.interpolated, slices.thin):
        assert np.allclose(matrix.sum(1), 1, atol=1e-5)


@pytest.mark.parametrize("seed", DRAWS)
def test_rows_lie_where_their_distances_say(seed: int) -> None:
    """Thin rows of a ramp, less the nearest thick slice of it, are as far off as they say."""
    slices = drawn(seed)
    ramp = np.arange(ROWS.n, dtype=np.float32)[:, None]
    thick, thin = slices.thick @ ramp, slices.thin @ ramp
    off = np.abs(thin - thick.T).min(1) * ROWS.increment_mm / slices.increment_mm
    inner = (thin[:, 0] > 30) & (thin[:, 0] < ROWS.n - 30)
    assert np.allclose(off[inner], slices.distance[inner], atol=0.02)
    assert slices.distance[slices.covered].max() <= 0.5 + 1e-6


def test_draws_cover_the_domain() -> None:
    slices = [drawn(seed) for seed in range(400)]
    thickness = np.array([s.thickness_mm for s in slices])
    ratio = np.array([s.increment_mm / s.thickness_mm for s in slices])
    assert thickness.min() < 1.6
    assert thickness.max() > 9
    assert ratio.min() < 0.45
    assert ratio.max() > 1.15
    assert 0.2 < np.mean(np.isclose(ratio, 1)) < 0.5
    assert {s.thin_increment_mm for s in slices} == {0.7, 1.0}


def test_interpolation_is_that_of_a_restored_scan() -> None:
    slices = drawn(3)
    thick = np.random.default_rng(0).normal(size=(len(slices.thick), 1, 4)).astype(np.float32)
    centres_mm = slices.increment_mm * np.arange(len(thick))
    at_mm = centres_mm[1] + slices.thin_increment_mm * np.arange(3)
    expected = resample_z_array(thick, centres_mm, at_mm, "cubic")[:, 0]
    matrix = drawn_slices.cubic(centres_mm, at_mm)
    assert np.allclose(matrix @ thick[:, 0], expected, atol=1e-5)


def test_a_given_kind_of_slices_is_always_that_kind() -> None:
    draw = drawn_slices.of(5.0, 2.5)
    for seed in range(5):
        slices = draw(ROWS, 64, np.random.default_rng(seed))
        assert slices is not None
        assert (slices.thickness_mm, slices.increment_mm) == (5.0, 2.5)


def test_too_few_rows_are_no_draw() -> None:
    assert drawn_slices.of(10.0, 10.0)(FineRows(20, 0.7, 0.7), 16, np.random.default_rng(0)) is None
