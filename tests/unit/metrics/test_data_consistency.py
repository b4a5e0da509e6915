"""Data consistency counts thick voxels of the body, wherever its rows lie."""

import numpy as np
import pytest
from scipy.sparse import csr_array

from thinslice.metrics.consistency import ROWS, consistency

MATRIX = csr_array(np.kron(np.eye(4), np.full((1, 3), 1 / 3)))


@pytest.mark.parametrize("first", [0, ROWS - 1, 2 * ROWS + 5])
def test_rows_without_a_body_leave_out_nothing_of_those_with_one(first):
    rng = np.random.default_rng(0)
    restored = rng.normal(0, 100, (12, 3 * ROWS, 7)).astype(np.float32)
    thick = rng.normal(0, 100, (4, 3 * ROWS, 7)).astype(np.float32)
    mask = np.zeros(restored.shape, bool)
    mask[3:, first : first + 9, 2:] = True
    error = (MATRIX @ restored.reshape(12, -1)).reshape(thick.shape) - thick
    counted = error[1:, first : first + 9, 2:]
    found = consistency(restored, thick, MATRIX, mask)
    assert found.n == counted.size
    assert found.bias == pytest.approx(counted.mean(), rel=1e-9)
    assert found.rmse == pytest.approx(np.sqrt(np.square(counted).mean()), rel=1e-6)
