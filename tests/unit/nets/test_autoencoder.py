"""The autoencoder of cubes: what it keeps untrained, and that every layer learns from there."""

import numpy as np
import pytest
import torch

from thinslice.nets.autoencoder import Autoencoder
from thinslice.nets.block_frequencies import BlockFrequencies, cosines


@pytest.mark.parametrize("side", [2, 4])
def test_waves_are_uncorrelated_and_all_of_them_keep_all(side):
    waves = cosines(side, side**3).reshape(side**3, -1).astype(float)
    np.testing.assert_allclose(waves @ waves.T / side**3, np.eye(side**3), atol=1e-5)
    assert (waves[0] == 1).all()
    every = BlockFrequencies(side, side**3 + 1)
    x = torch.rand(1, 1, side, 2 * side, 3 * side)
    torch.testing.assert_close(every.voxels(every(x)), x)
    assert not every.state_dict()


def test_untrained_one_latent_is_the_mean_of_its_block_and_four_keep_slopes():
    x = torch.rand(2, 1, 4, 8, 4)
    blocks = torch.nn.functional.avg_pool3d(x, 4)
    means = torch.nn.functional.interpolate(blocks, scale_factor=4.0)
    torch.testing.assert_close(Autoencoder(2, 2, 1)(x), means)
    ramp = torch.arange(8.0)[:, None, None] * 0.1 + torch.arange(8.0)[:, None] * 0.02
    ramp = ramp.expand(1, 1, 8, 8, 8).contiguous()
    torch.testing.assert_close(Autoencoder(2, 1, 4)(ramp), ramp)


def test_every_weight_of_the_last_layers_learns_from_the_first_step():
    net = Autoencoder(2, 2, 2)
    x = torch.rand(1, 1, 8, 8, 8)
    (net(x) - x).square().mean().backward()
    assert net.narrow.weight.grad[:2].abs().min() > 0
    assert net.tail[-1].weight.grad.abs().max() > 0
