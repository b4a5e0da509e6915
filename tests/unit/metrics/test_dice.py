"""Dice against closed forms."""

import math

import numpy as np
import pytest

from thinslice.metrics.dice import dice

HALF = np.arange(8) < 4


@pytest.mark.parametrize(
    ("mask", "truth", "expected"),
    [
        (HALF, HALF, 1.0),
        (HALF, ~HALF, 0.0),
        (HALF, np.arange(8) < 2, 2 * 2 / 6),
        (np.zeros(8, bool), HALF, 0.0),
    ],
)
def test_overlap(mask, truth, expected):
    assert dice(mask, truth) == dice(truth, mask) == pytest.approx(expected)


def test_two_empty_masks_have_none():
    assert math.isnan(dice(np.zeros(4, bool), np.zeros(4, bool)))
