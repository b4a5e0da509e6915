"""How far along a row a network of cubes sees."""

from collections.abc import Iterable

import torch
from torch import nn

WIDTH = 88


def columns_seen(net: nn.Module, at: Iterable[int]) -> int:
    """The farthest column, to either side, that an answer in one of these columns depends on.

    Its weights are made positive, so that nothing that is seen cancels out.
    """
    for p in net.parameters():
        nn.init.constant_(p, 0.1)
    far = 0
    for column in at:
        x = torch.ones(1, 1, 2, 4, WIDTH, requires_grad=True)
        net(x)[0, 0, 1, 2, column].backward()
        assert x.grad is not None
        seen = torch.nonzero(x.grad.abs().amax((0, 1, 2, 3))).flatten() - column
        far = max(far, int(seen.abs().max()))
    return far
