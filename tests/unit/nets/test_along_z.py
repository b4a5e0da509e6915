"""Sub-pixel convolutions along chosen axes, and linear interpolation at any slice position."""

import pytest
import torch
from torch.nn.functional import interpolate, pixel_shuffle

from thinslice.nets.along_z import Fold, finer, linear_at, native, stages


@pytest.mark.parametrize("factor", [2, 3])
def test_folding_both_axes_is_the_pixel_shuffle_of_torch(factor):
    x = torch.rand(2, 3 * factor**2, 4, 5)
    assert torch.equal(Fold((factor, factor))(x), pixel_shuffle(x, factor))


def test_folding_z_puts_the_channels_of_a_slice_behind_one_another():
    x = torch.arange(3.0).view(1, 3, 1, 1, 1) + 10 * torch.arange(2.0).view(1, 1, 2, 1, 1)
    assert Fold((3, 1, 1))(x)[0, 0, :, 0, 0].tolist() == [0, 1, 2, 10, 11, 12]


def test_twos_for_powers_of_two_else_all_at_once():
    assert [stages(factor) for factor in (1, 2, 3, 4, 5, 8)] == [
        [],
        [2],
        [3],
        [2] * 2,
        [5],
        [2] * 3,
    ]


@pytest.mark.parametrize("factor", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("dims", [2, 3])
def test_z_alone_grows(dims, factor):
    sizes = (4, 5, 6)[:dims]
    assert finer(dims, 2, factor)(torch.rand(1, 2, *sizes)).shape[2:] == (4 * factor, *sizes[1:])


@pytest.mark.parametrize("factor", [1, 2, 5])
def test_at_rest_the_native_slices_are_the_linear_interpolation(factor):
    x = torch.rand(2, 1, 4, 3, 5)
    answer = torch.zeros(2, 1, 4 * factor, 3, 5)
    expected = interpolate(x, (3 * factor + 1, 3, 5), mode="trilinear", align_corners=True)
    torch.testing.assert_close(native(answer, x, factor, True), expected, atol=1e-6, rtol=0)
    assert torch.equal(native(answer, x, factor, False), torch.full_like(expected, 0.25))


def test_linear_at_any_positions_of_each_sample_with_ends_held():
    x = torch.tensor([[0.0, 10, 30], [1, 1, 5]]).view(2, 1, 3, 1)
    at = torch.tensor([[-1, 0.5, 2, 7], [1.25, 0, 2, 1.5]])
    assert linear_at(x, at)[:, 0, :, 0].tolist() == [[0, 5, 30, 30], [2, 1, 5, 3]]
    assert linear_at(x[:, :, :1], at)[0, 0, :, 0].tolist() == [0] * 4  # one slice: its values
