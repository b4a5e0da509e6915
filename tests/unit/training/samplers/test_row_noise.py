"""Row noise: white noise by its standard deviation, whatever lies below it along z or in ramps."""

import numpy as np
import pytest

from thinslice.training.samplers.row_noise import row_noise, scan_noise

NOISE = np.random.default_rng(0).normal(size=(20, 64, 200)).astype(np.float32)


@pytest.mark.parametrize("sd", [1.0, 8.0, 40.0])
def test_it_is_the_standard_deviation_of_white_noise(sd: float) -> None:
    assert row_noise(sd * NOISE) == pytest.approx(sd, rel=0.03)


def test_ramps_and_edges_hardly_move_it() -> None:
    ramp = np.linspace(0, 4000, 200, dtype=np.float32)
    edge = 500 * (np.arange(200) > 90).astype(np.float32)
    assert row_noise(10 * NOISE + ramp) == pytest.approx(10, rel=0.1)
    assert row_noise(10 * NOISE + edge) == pytest.approx(10, rel=0.1)


def test_it_depends_on_rows_alone() -> None:
    steps = np.arange(20, dtype=np.float32)[:, None, None] * 37
    assert scan_noise(NOISE + steps) == pytest.approx(scan_noise(NOISE), rel=1e-3)


def test_rows_too_short_have_none() -> None:
    assert row_noise(np.zeros((4, 2), np.float32)) == 0.0


def test_air_written_as_one_number_does_not_count() -> None:
    scan = np.full((9, 200, 200), -1000, np.float32)
    scan[:, 60:140, 60:140] = 40 + 15 * np.random.default_rng(1).normal(size=(9, 80, 80))
    assert scan_noise(scan) == pytest.approx(15, rel=0.05)
