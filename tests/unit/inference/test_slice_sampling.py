"""Sampling slice by slice: tiles, slices and seeds."""

import numpy as np
import pytest
import torch

from support.tiny_methods import RUN
from thinslice.inference.planes import PlaneTiles, mirrored
from thinslice.inference.slice_sampling import sampled
from thinslice.nets.refined_slices import RefinedSlices

COARSE = np.random.default_rng(0).random((3, 40, 52), np.float32)
PHASES = np.array([0.0, 0.4, 0.8])


@pytest.fixture(scope="module")
def net() -> RefinedSlices:
    torch.manual_seed(0)
    made = RefinedSlices(2, 2, neighbours=1)
    torch.nn.init.normal_(made.denoiser.net.tail.weight, std=0.1)
    made.denoiser.scale.fill_(0.02)
    return made


def sample(net, coarse=COARSE, tile=64, joined=lambda x: x, seed=0, phases=PHASES):
    tiles = PlaneTiles((tile, tile), net.reach, 0, net.align, 2, beyond=mirrored, neighbours=1)
    noise = np.random.default_rng(seed)
    levels = [5.0, 1.0, 0.5]
    return sampled(net, coarse, coarse, phases, levels, joined, tiles, noise, run=RUN)


def test_the_same_seed_is_the_same_sample_and_the_coarse_scan_is_left_alone(net):
    before = COARSE.copy()
    first = sample(net)
    np.testing.assert_array_equal(sample(net), first)
    assert np.abs(sample(net, seed=1) - first).max() > 1e-3
    np.testing.assert_array_equal(COARSE, before)


def test_tiles_leave_no_trace(net):
    np.testing.assert_allclose(sample(net, tile=36), sample(net), atol=1e-5)


def test_slices_that_are_alike_stay_alike_where_their_phases_are(net):
    """One and the same noise for all slices: nothing flickers. The model is told each phase."""
    alike = np.repeat(COARSE[:1], 3, 0)
    made = sample(net, alike, phases=np.array([0.4, 0.4, 0.9]))
    np.testing.assert_allclose(made[1], made[0], atol=1e-6)
    assert np.abs(made[2] - made[0]).max() > 1e-5


def test_every_step_and_the_answer_are_joined(net):
    made = sample(net, joined=lambda x: np.full_like(x, 0.25))
    np.testing.assert_array_equal(made, np.full_like(COARSE, 0.25))
