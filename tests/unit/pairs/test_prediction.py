"""Thick slices are predicted by taps that were fitted on other ones."""

import numpy as np
import pytest

from thinslice.pairs.prediction import Block, predict
from thinslice.volume import Grid, Volume

THIN = Grid(60, 1.0, 1.0, (12, 12), (1.0, 1.0))
THICK = THIN.with_slices(n=12, increment_mm=5.0, thickness_mm=4.0, start_mm=2.0)
EVEN, ODD = np.array([0.0, 0.25, 0.5, 0.25, 0.0]), np.full(5, 0.2)


def block() -> Block:
    """Even thick slices seen through other taps than odd ones."""
    fine = np.random.default_rng(0).normal(0, 100, THIN.zyx).astype(np.float32)
    coarse = [
        np.tensordot(ODD if k % 2 else EVEN, fine[5 * k : 5 * k + 5], 1) for k in range(THICK.n)
    ]
    return Block(Volume(fine, THIN), Volume(np.stack(coarse).astype(np.float32), THICK))


def test_a_slice_takes_no_part_in_its_own_prediction():
    both = block()
    found = predict([both])
    for k, predicted in enumerate(found.predicted, 1):  # the first lies too near to the end
        around = both.thin.voxels[5 * k : 5 * k + 5]
        others = np.tensordot(EVEN if k % 2 else ODD, around, 1)
        np.testing.assert_allclose(predicted, others, atol=0.01)
    np.testing.assert_allclose(found.taps.weights[3:8], (EVEN + ODD) / 2, atol=1e-4)


def test_blocks_without_contrast_are_left_to_the_others():
    flat = Block(
        Volume(np.zeros(THIN.zyx, np.float32), THIN), Volume(np.zeros(THICK.zyx, np.float32), THICK)
    )
    both = block()
    found = predict([flat, both])
    assert found.taps.weights == pytest.approx(predict([both]).taps.weights)
    assert len(found.acquired) == 2 * len(predict([both]).acquired)
    with pytest.raises(ValueError, match="too little"):
        predict([flat])
