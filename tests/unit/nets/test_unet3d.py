"""The 3-D U-Net keeps its size, and sees no farther than it says."""

import pytest
import torch

from thinslice.nets.unet3d import UNet3D


@pytest.mark.parametrize("levels", [1, 2, 3])
def test_sizes(levels):
    net = UNet3D(3, 2, levels).eval()
    assert net(torch.zeros(2, 1, 8, 4, 12)).shape == (2, 3, 8, 4, 12)


@pytest.mark.parametrize("levels", [1, 2])
def test_nothing_beyond_its_reach_is_seen(levels):
    torch.manual_seed(0)
    net = UNet3D(2, 2, levels).double().eval()
    x = torch.randn(1, 1, 48, 4, 4, dtype=torch.float64)
    other = x.clone()
    at = 24
    other[:, :, at + net.reach + 1 :] += 1
    with torch.no_grad():
        here, there = net(x)[:, :, at], net(other)[:, :, at]
    assert torch.equal(here, there)


def test_one_class_is_refused():
    with pytest.raises(ValueError, match="two classes"):
        UNet3D(1)
