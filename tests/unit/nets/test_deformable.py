"""A convolution whose points look elsewhere."""

import pytest
import torch
from torch.nn.functional import conv2d

from thinslice.nets.deformable import POINTS, DynamicAggregation, deformed, looked_up


def still(b: int, groups: int, h: int, w: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Points where they lie, each counted whole."""
    return torch.zeros(b, groups, POINTS, 2, h, w), torch.ones(b, groups, POINTS, h, w)


def test_where_points_stay_it_is_a_convolution():
    map_BCHW, weight, bias = torch.rand(2, 4, 6, 7), torch.rand(5, 4, 3, 3), torch.rand(5)
    answer = deformed(map_BCHW, weight, bias, *still(2, 2, 6, 7))
    torch.testing.assert_close(answer, conv2d(map_BCHW, weight, bias, padding=1))


def test_points_moved_by_whole_pixels_look_at_the_moved_map():
    map_BCHW, weight, bias = torch.rand(1, 4, 9, 9), torch.rand(3, 4, 3, 3), torch.zeros(3)
    ways, shares = still(1, 2, 9, 9)
    ways[:, :, :, 0], ways[:, :, :, 1] = 2, -1
    answer = deformed(map_BCHW, weight, bias, ways, shares / 2)
    expected = conv2d(map_BCHW, weight, padding=1).roll((-2, 1), (2, 3)) / 2
    torch.testing.assert_close(answer[..., :6, 2:], expected[..., :6, 2:])


def test_groups_go_their_own_ways():
    map_BCHW, weight, bias = torch.rand(1, 4, 9, 9), torch.rand(3, 4, 3, 3), torch.zeros(3)
    ways, shares = still(1, 2, 9, 9)
    shares[:, 1] = 0
    answer = deformed(map_BCHW, weight, bias, ways, shares)
    torch.testing.assert_close(answer, conv2d(map_BCHW[:, :2], weight[:, :2], padding=1))


def test_one_map_of_another_size_serves_all_planes():
    map_1CHW, weight, bias = torch.rand(1, 2, 5, 12), torch.rand(3, 2, 3, 3), torch.rand(3)
    answer = deformed(map_1CHW, weight, bias, *still(2, 1, 8, 8))
    assert answer.shape == (2, 3, 8, 8)
    torch.testing.assert_close(answer[0], answer[1])
    expected = conv2d(map_1CHW, weight, bias, padding=1)[0]
    torch.testing.assert_close(answer[0, :, :4, :8], expected[:, :4, :8])
    torch.testing.assert_close(answer[0, :, 7], bias[:, None].expand(3, 8))  # beyond the map


def test_between_pixels_it_is_linear_and_beyond_the_map_zero():
    map_BCHW = torch.arange(12.0).view(1, 1, 3, 4)
    y, x = torch.tensor([0.5, 2.5, -1.0, 1.0]), torch.tensor([1.25, 0.0, 1.0, 3.0])
    seen = looked_up(map_BCHW, y.view(1, 1, 4), x.view(1, 1, 4))
    torch.testing.assert_close(seen.flatten(), torch.tensor([3.25, 4.0, 0.0, 7.0]))


def test_every_weight_of_the_first_network_learns():
    torch.manual_seed(0)
    net = DynamicAggregation(4, 2)
    about = torch.rand(1, 4, 6, 6, requires_grad=True)
    net(torch.rand(1, 4, 6, 6), about, torch.ones(1, POINTS, 2, 6, 6)).square().sum().backward()
    assert about.grad is not None
    assert all(p.grad is not None and p.grad.abs().max() > 0 for p in net.parameters())
    assert about.grad.abs().max() > 0
    with pytest.raises(ValueError, match="3 groups of 4"):
        DynamicAggregation(4, 3)
