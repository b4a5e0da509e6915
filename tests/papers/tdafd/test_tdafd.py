"""TDAFD begins as linear interpolation, and its transformers see far without wrapping around."""

import pytest
import torch
from torch.nn.functional import interpolate

from thinslice.nets.tdafd import TDAFD, RecursiveTransformer, Sizes

SMALL = Sizes(channels=8, modules=2, heads=2, window=(2, 4, 4))


@pytest.mark.parametrize("factor", [1, 2, 3, 5])
@torch.inference_mode()
def test_untrained_it_interpolates_linearly(factor):
    x = torch.rand(2, 1, 3, 6, 9)
    y = TDAFD(Sizes(factor, 8, 2, 2, (2, 4, 4)))(x)
    expected = interpolate(x, (2 * factor + 1, 6, 9), mode="trilinear", align_corners=True)
    torch.testing.assert_close(y, expected, rtol=0, atol=1e-6)


def influence(times: int, at: int) -> list[int]:
    """Columns that change where one voxel of column ``at`` does."""
    torch.manual_seed(0)
    transformer = RecursiveTransformer(Sizes(channels=8, heads=2, window=(2, 4, 4), times=times))
    x = torch.rand(1, 8, 2, 4, 16)
    other = x.clone()
    other[0, :, 0, 0, at] = torch.rand(8)
    with torch.no_grad():
        changed = (transformer(other) - transformer(x)).abs().amax((0, 1, 2, 3)) > 1e-6
    return torch.nonzero(changed).flatten().tolist()


def test_run_again_in_shifted_windows_it_sees_beyond_a_window_and_not_around_the_end():
    assert influence(1, at=5) == [4, 5, 6, 7]
    assert influence(2, at=5) == list(range(2, 10))
    assert influence(2, at=0) == list(range(6))


def test_what_pads_a_grid_is_never_seen():
    """Zeros at the end of a plane change an answer; padding there, of zeros too, does not."""
    torch.manual_seed(0)
    transformer = RecursiveTransformer(Sizes(channels=8, heads=2, window=(1, 1, 4), times=1))
    x = torch.rand(1, 8, 1, 1, 3)
    with torch.no_grad():
        padded = transformer(x)
        whole = transformer(torch.cat((x, torch.zeros_like(x[..., :1])), -1))[..., :3]
    assert padded.shape == x.shape
    assert float((padded - whole).abs().max()) > 1e-4


def test_weights_are_shared_by_the_runs_of_a_transformer():
    count = [sum(p.numel() for p in TDAFD(Sizes(times=times)).parameters()) for times in (1, 2, 5)]
    assert len(set(count)) == 1


def test_odd_numbers_are_refused():
    with pytest.raises(ValueError, match="halved"):
        TDAFD(Sizes(modules=3))
