"""MPU-Net draws an image at every step up; all begin as linear interpolation."""

from math import ceil

import pytest
import torch
from torch.nn.functional import avg_pool3d, interpolate

from support.seen import columns_seen
from thinslice.methods import mpunet
from thinslice.nets.mpunet import Finer, MPUNet, Sizes, ladder


def linear(x_B1ZYX: torch.Tensor, slices: int) -> torch.Tensor:
    size = (slices, *x_B1ZYX.shape[3:])
    return interpolate(x_B1ZYX, size, mode="trilinear", align_corners=True)


@pytest.mark.parametrize(
    ("factor", "steps", "expected"),
    [
        (5, 2, [2, 5]),
        (4, 2, [2, 4]),
        (8, 3, [2, 4, 8]),
        (2, 2, [1, 2]),
        (1, 2, [1, 1]),
        (7, 1, [7]),
    ],
)
def test_slices_become_finer_by_ratios_nearly_alike(factor, steps, expected):
    assert ladder(factor, steps) == expected


@pytest.mark.parametrize(("coarse", "fine"), [(1, 2), (2, 5), (3, 3), (2, 4)])
@torch.inference_mode()
def test_features_that_say_where_they_are_say_so_on_the_finer_slices(coarse, fine):
    """A convolution that interpolates along z gives a ramp its values between."""
    increments, finer = 3, Finer(1, coarse, fine)
    layer, ratio = finer.convolve, ceil(fine / coarse)
    for p in layer.parameters():
        torch.nn.init.zeros_(p)
    for phase in range(ratio):
        layer.weight[phase, 0, 1, 1, 1] = 1 - phase / ratio
        layer.weight[phase, 0, 2, 1, 1] = phase / ratio
    ramp = (torch.arange(increments * coarse + 1) / coarse).view(1, 1, -1, 1, 1)
    found = finer(ramp.expand(1, 1, -1, 2, 3), increments)[0, 0, :, 1, 1]
    torch.testing.assert_close(found, torch.arange(increments * fine + 1) / fine)


@pytest.mark.parametrize("factor", [1, 2, 3, 5])
@torch.inference_mode()
def test_untrained_every_step_interpolates_linearly(factor):
    """Odd numbers of rows and columns too, whose coarse images are of the mirrored plane."""
    x, net = torch.rand(2, 1, 4, 8, 12), MPUNet(Sizes(factor, channels=4))
    coarse, fine = net.images(x)
    torch.testing.assert_close(fine, linear(x, 3 * factor + 1), rtol=0, atol=1e-6)
    halved = avg_pool3d(x, (1, 2, 2))
    torch.testing.assert_close(coarse, linear(halved, coarse.shape[2]), rtol=0, atol=1e-6)
    odd = net(x[..., :7, :9])
    torch.testing.assert_close(odd, linear(x[..., :7, :9], 3 * factor + 1), rtol=0, atol=1e-6)


def test_its_halo_covers_what_it_sees():
    """Wherever a voxel lies in a coarse pixel."""
    net = MPUNet(Sizes(2, channels=1, levels=mpunet.Settings().levels))
    assert 24 < columns_seen(net, range(40, 44)) <= mpunet.Settings().halo


@pytest.mark.parametrize("factor", [2, 5])
def test_the_truth_of_a_step_is_what_it_would_draw_of_what_is_linear_along_z(factor):
    """Then no step has anything to correct, so none is taught anything wrong."""
    z = torch.arange(4.0).view(1, 1, 4, 1, 1)
    x = z * torch.rand(1, 1, 1, 7, 9) + torch.rand(1, 1, 1, 7, 9)
    net = MPUNet(Sizes(factor, channels=4))
    for image, true in zip(net.images(x), net.as_images(linear(x, 3 * factor + 1)), strict=True):
        torch.testing.assert_close(image, true, rtol=0, atol=1e-5)


def test_voxels_count_by_local_contrast_and_one_on_average():
    y = torch.zeros(1, 1, 6, 8, 8)
    y[..., 4:] = 1.0
    weights = mpunet.weights(y, 1.0)
    assert float(weights.mean()) == pytest.approx(1.0)
    assert float(weights[..., 3:5].min()) > 2 * float(weights[..., :2].max())
    assert float((mpunet.weights(y, 0.0) - 1).abs().max()) == 0.0
    flat = mpunet.weights(torch.full_like(y, 0.4), 1.0)
    assert float((flat - 1).abs().max()) < 0.5  # no weight is made of rounding


def test_one_level_is_refused():
    with pytest.raises(ValueError, match="level to level"):
        MPUNet(Sizes(levels=1))
