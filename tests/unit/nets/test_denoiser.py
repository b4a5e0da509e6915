"""Denoisers of planes and cubes: what they answer untrained, how far they see, noise levels."""

import numpy as np
import pytest
import torch

from thinslice.nets.denoiser import Denoiser
from thinslice.nets.noise_levels import drawn, falling, weight
from thinslice.nets.score_unet import ScoreUNet


def test_untrained_it_is_the_best_linear_estimate_of_data_of_its_scale():
    denoiser = Denoiser(ScoreUNet(2, 1, 1, 4, 2))
    denoiser.scale.fill_(0.02)
    noisy = torch.rand(2, 1, 8, 8)
    clean = denoiser(noisy, torch.tensor([1.0, 3.0]))
    torch.testing.assert_close(clean, noisy / torch.tensor([2.0, 10.0]).view(2, 1, 1, 1))


@pytest.mark.parametrize("dims", [2, 3])
def test_the_network_sees_as_far_as_it_says_and_listens_to_the_noise(dims):
    torch.manual_seed(0)
    net = ScoreUNet(dims, 1, 1, 2, 2)
    torch.nn.init.normal_(net.tail.weight)
    side = 2 * net.align * (net.reach // net.align + 1)
    x = torch.rand(1, 1, side, *[8] * (dims - 1))
    other = x.clone()
    other[:, :, 0] += 1.0
    level = torch.ones(1)
    with torch.no_grad():
        change = (net(x, level) - net(other, level)).abs().amax(tuple(range(3, dims + 2)))[0, 0]
        assert change[: net.reach // 2].min() > 0
        assert change[net.reach + 1 :].max() == 0
        assert (net(x, level) - net(x, 2 * level)).abs().max() > 1e-6


def test_noise_falls_between_its_ends_and_is_drawn_between_them():
    levels = falling(5.0, 0.5, 4)
    assert levels[0] == pytest.approx(5.0)
    assert levels[-1] == pytest.approx(0.5)
    assert (np.diff(levels) < 0).all()
    assert falling(5.0, 0.5, 1) == pytest.approx([5.0])
    some = drawn(np.random.default_rng(0), 1000, 0.5, 5.0)
    assert some.min() >= 0.5
    assert some.max() <= 5.0
    assert np.median(some) == pytest.approx(1.58, abs=0.2)  # the middle of the logarithm
    torch.testing.assert_close(weight(torch.tensor([1.0])), torch.tensor([2.0]))
    for wrong in ((0.5, 5.0, 3), (5.0, 0.0, 3), (5.0, 0.5, 0)):
        with pytest.raises(ValueError, match="noise falls"):
            falling(*wrong)


def test_a_phase_changes_the_answer_and_goes_round():
    torch.manual_seed(0)
    net = ScoreUNet(2, 1, 1, 2, 2, phased=True)
    torch.nn.init.normal_(net.tail.weight)
    x, level = torch.rand(1, 1, 8, 8), torch.ones(1)
    with torch.no_grad():
        first, half, again = (net(x, level, torch.tensor([p])) for p in (0.0, 0.5, 1.0))
    assert (first - half).abs().max() > 1e-4
    torch.testing.assert_close(again, first)
