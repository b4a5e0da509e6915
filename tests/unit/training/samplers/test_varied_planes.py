"""Varied planes: in the stored range, their own copy, no blur along the rows."""

import numpy as np
import pytest

from thinslice.training.samplers import varied_planes
from thinslice.training.samplers.varied_planes import varied

SLAB = np.random.default_rng(0).uniform(-1000, 1500, (40, 32, 3)).astype(np.float32)


@pytest.mark.parametrize("seed", range(30))
def test_variations_stay_in_the_stored_range_and_leave_the_slab_alone(seed: int) -> None:
    before = SLAB.copy()
    out = varied(SLAB, np.random.default_rng(seed))
    assert out.dtype == np.float32
    assert out.shape == SLAB.shape
    assert out.min() >= -1024
    assert out.max() <= 3071
    assert np.array_equal(SLAB, before)


def test_the_same_generator_varies_alike() -> None:
    a, b = (varied(SLAB, np.random.default_rng(5)) for _ in range(2))
    assert np.array_equal(a, b)


def test_kernels_blur_along_columns_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blur along rows would be a slice profile that no network is told of."""
    for name in ("CONTRAST", "SHELLS", "NOISE"):
        monkeypatch.setattr(varied_planes, name, 0.0)
    monkeypatch.setattr(varied_planes, "SOFT", 1.0)
    rows = np.repeat(SLAB[:, :1], 32, axis=1)  # alike along columns
    assert np.allclose(varied(rows, np.random.default_rng(1)), rows, atol=1e-2)
    assert not np.allclose(varied(SLAB, np.random.default_rng(1)), SLAB, atol=1.0)


def test_a_shell_is_brighter_than_what_it_replaces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(varied_planes, "SHELLS", 1.0)
    for name in ("CONTRAST", "SOFT", "NOISE"):
        monkeypatch.setattr(varied_planes, name, 0.0)
    dark = np.full((64, 64, 3), -1000, np.float32)
    drawn = [varied(dark, np.random.default_rng(seed)) for seed in range(8)]
    assert any(out.max() > 100 for out in drawn)
    assert all(out.min() >= -1000 for out in drawn)
