"""Batches for the conditioned network: what counts, what it is told, the same bits again."""

import math

import numpy as np
import pytest
import torch

from thinslice.nets.conditioned_unet import N_CONDITIONS
from thinslice.training.samplers import conditioned_planes, drawn_slices
from thinslice.training.samplers.conditioned_planes import ConditionedPlanes
from thinslice.training.samplers.fine_planes import FinePlanes
from thinslice.volume import Grid, Volume, Window

SIDE = 32


def batches(draw: drawn_slices.Draw, voxels: np.ndarray | None = None) -> ConditionedPlanes:
    grid = Grid(90, 0.8, 0.8, (70, 75), (0.9, 0.9))
    if voxels is None:
        voxels = np.random.default_rng(0).normal(40, 200, grid.zyx).astype(np.float32)
    planes = FinePlanes([Volume(voxels, grid)], SIDE, 1, zoom=(1.0, 1.0))
    return ConditionedPlanes(planes, 4, draw, Window(-1024, 3071))


def test_shapes_and_the_same_bits_again() -> None:
    draw = batches(drawn_slices.draw)
    first, again = (draw(np.random.default_rng(3)) for _ in range(2))
    shapes = [tuple(part.shape) for part in first]
    assert shapes == [(4, 6, SIDE, SIDE), (4, N_CONDITIONS), (4, 1, SIDE, SIDE), (4, 1, SIDE, SIDE)]
    assert all(torch.equal(a, b) for a, b in zip(first, again))


def test_the_network_is_told_the_slices_that_were_drawn() -> None:
    _, conditions, _, _ = batches(drawn_slices.of(5.0, 3.0))(np.random.default_rng(0))
    assert torch.allclose(conditions[:, 0], torch.tensor(math.log(5 / 4)))
    assert torch.allclose(conditions[:, 1], torch.tensor(2 * (0.6 - 0.8)))


def test_rows_beyond_the_thick_slices_do_not_count() -> None:
    draw = batches(drawn_slices.of(6.0, 6.0))
    weights = torch.cat([draw(np.random.default_rng(seed))[3] for seed in range(8)])
    rows = weights[:, 0].amax(2) > 0
    assert bool(rows.any(1).all())
    assert not bool(rows.all())


def test_of_an_even_scan_nothing_is_to_be_corrected(monkeypatch) -> None:
    monkeypatch.setattr(conditioned_planes, "varied", lambda voxels, rng: voxels)
    even = np.full((90, 70, 75), 77, np.float32)
    x, _, y, _ = batches(drawn_slices.draw, even)(np.random.default_rng(0))
    assert torch.allclose(x[:, 1:2], y, atol=1e-5)
    assert torch.allclose(y, torch.tensor((77 + 1024) / 4095), atol=1e-5)


def test_crops_that_hold_no_thick_slices_are_given_up() -> None:
    with pytest.raises(ValueError, match="hardly any crop"):
        batches(drawn_slices.of(60.0, 60.0))(np.random.default_rng(0))
