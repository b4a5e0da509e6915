"""SRCNN3D and ReCNN are the networks of MFER's authors, and begin by changing nothing."""

import pytest
import torch

from support.goldens import assert_like_the_authors, authors_weights, golden
from thinslice.nets.grey import AS_STORED
from thinslice.nets.recnn import ReCNN
from thinslice.nets.srcnn3d import SRCNN3D


def test_srcnn3d_answers_as_theirs_does():
    meta, arrays = golden("mfer", "srcnn3d")
    net = SRCNN3D(gain=1.0)
    theirs = authors_weights(meta)
    net.load_state_dict({f"layers.{int(name[4]) - 1}.weight": w for name, w in theirs.items()})
    assert sum(p.numel() for p in net.parameters()) == 52_704
    assert_like_the_authors(net, meta, arrays)


def test_recnn_answers_as_theirs_does():
    meta, arrays = golden("mfer", "recnn")
    net = ReCNN(grey=AS_STORED)
    weights = {
        "last.weight"
        if name == "conv20.weight"
        else f"body.{int(name.split('.')[1]) // 2}.weight": w
        for name, w in authors_weights(meta).items()
    }
    net.load_state_dict(weights)
    assert sum(p.numel() for p in net.parameters()) == 1_994_112
    assert_like_the_authors(net, meta, arrays)


@pytest.mark.parametrize("net", [SRCNN3D(4), ReCNN(3, 4)], ids=["srcnn3d", "recnn"])
@torch.inference_mode()
def test_untrained_they_change_nothing(net):
    x = torch.rand(2, 1, 5, 7, 6)
    torch.testing.assert_close(net(x), x, rtol=0, atol=1e-7)


@pytest.mark.parametrize("net", [SRCNN3D(4), ReCNN(3, 4)], ids=["srcnn3d", "recnn"])
def test_nothing_beyond_its_reach_matters(net):
    for p in net.parameters():
        torch.nn.init.constant_(p, 0.1)
    side = 2 * net.reach + 5
    x = torch.ones(1, 1, side, side, side, requires_grad=True)
    net(x)[0, 0, side // 2, side // 2, side // 2].backward()
    assert x.grad is not None
    seen = torch.nonzero(x.grad[0, 0]) - side // 2
    assert int(seen.abs().max()) == net.reach
