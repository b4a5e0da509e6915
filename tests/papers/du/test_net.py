"""ResCNN begins by changing nothing, and sees as far as it says."""

import torch

from thinslice.methods import rescnn
from thinslice.nets.rescnn import ResCNN


def test_parameters():
    """The encoder of ArSSR's authors with one feature out; Georgescu et al. print no number."""
    assert rescnn.build().parameters() == 1_995_329


@torch.inference_mode()
def test_untrained_it_changes_nothing():
    x = torch.rand(2, 1, 5, 7, 6)
    net = ResCNN(2, 2, 4)
    assert torch.equal(net(x), x)
    net.net.last.weight.fill_(0.1)
    assert not torch.equal(net(x), x)


def test_nothing_beyond_its_reach_matters():
    net = ResCNN(2, 1, 2)
    for p in net.parameters():
        torch.nn.init.constant_(p, 0.1)
    side = 2 * net.reach + 5
    x = torch.ones(1, 1, side, side, side, requires_grad=True)
    net(x)[0, 0, side // 2, side // 2, side // 2].backward()
    assert x.grad is not None
    seen = torch.nonzero(x.grad[0, 0]) - side // 2
    assert int(seen.abs().max()) == net.reach
