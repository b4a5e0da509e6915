"""The losses that settings name."""

import pytest
import torch

from thinslice.families import losses


@pytest.mark.parametrize(("loss", "middle"), [("l1", 0.0), ("charbonnier", 0.0), ("mse", 1 / 3)])
def test_the_loss_is_the_one_asked_for(loss, middle):
    """Of a cube of which a third is 1, the constant of least L1 is 0, of least MSE a third."""
    net = torch.nn.Conv1d(1, 1, 1)
    torch.nn.init.zeros_(net.weight)
    x, y = torch.zeros(1, 1, 3), torch.tensor([[[0.0, 0.0, 1.0]]])
    optimiser = torch.optim.SGD([net.bias], lr=0.01)
    for _ in range(400):
        optimiser.zero_grad()
        losses.named(loss)(net, (x, y)).backward()
        optimiser.step()
    assert net.bias.item() == pytest.approx(middle, abs=0.01)
