"""Shades of the viewer stand for values near those that were packed."""

import numpy as np
import pytest

from thinslice.report.pictures.shades import CT_KNOTS, from_shades, to_shades


@pytest.mark.parametrize(
    ("low", "high", "most"), [(-1024, -160, 6.1), (-160, 240, 1.8), (240, 3000, 19.5)]
)
def test_a_value_comes_back_within_half_a_shade(low, high, most):
    values = np.linspace(low, high, 999)
    back = from_shades(to_shades(values, CT_KNOTS), CT_KNOTS)
    assert np.abs(back - values).max() <= most


def test_what_is_beyond_the_ends_is_at_the_ends():
    shades = to_shades(np.array([-2000.0, 9000.0]), CT_KNOTS)
    assert shades.tolist() == [0, 255]
    assert from_shades(shades, CT_KNOTS).tolist() == [-1024.0, 3000.0]


def test_ends_of_pieces_are_whole_shades_in_order():
    shades, values = zip(*CT_KNOTS)
    assert (shades[0], shades[-1]) == (0, 255)
    assert list(shades) == sorted(set(shades))
    assert list(values) == sorted(set(values))
