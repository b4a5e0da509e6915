"""CTHNet is the authors' network: same weights in, same slices out."""

import numpy as np
import pytest
import torch

from support.goldens import assert_like_the_authors, authors_weights, golden
from thinslice.nets.cthnet import CTHNet, Sizes, from_authors
from thinslice.nets.swin import relative_index
from thinslice.nets.windows import wrapped_windows_of
from thinslice.nets.wrapped_swin import WrappedStack

SMALL = Sizes(
    depth=3, factor=3, trim=1, stem=8, channels=4, heads=2, encoder_blocks=2, tab_blocks=2,
    plane_groups=1, plane_blocks=2, window=4, fold=4, drop_path=0.0,
)  # fmt: skip
CPU = torch.device("cpu")


def test_it_answers_as_the_authors_does():
    meta, arrays = golden("cthnet", "cz8_32")
    net = CTHNet(Sizes())
    net.load_state_dict(from_authors(authors_weights(meta)))
    assert sum(p.numel() for p in net.parameters()) == 10_606_217
    assert_like_the_authors(net, meta, arrays)


def test_weights_with_a_tensor_too_many_are_refused():
    with pytest.raises(ValueError, match=r"no place in CTHNet: mask_token"):
        from_authors(
            {
                "mask_token": torch.zeros(1),
                "Encoder.layers.0.blocks.1.attn.attn_mask": torch.zeros(1),
            }
        )


def small() -> CTHNet:
    torch.manual_seed(0)
    return CTHNet(SMALL).eval()


@torch.inference_mode()
def test_any_size_and_batch_and_only_that_depth():
    net, x = small(), torch.rand(2, 1, 3, 10, 13)
    y = net(x)
    assert y.shape == (2, 1, 5, 10, 13)
    alone = torch.cat([net(scan[None]) for scan in x])
    torch.testing.assert_close(y, alone, rtol=0, atol=1e-5)
    with pytest.raises(ValueError, match="3 thick slices, found 4"):
        net(torch.rand(1, 1, 4, 8, 8))


@pytest.mark.parametrize("window", [(4, 4), (2, 2, 2)])
@torch.inference_mode()
def test_a_shift_is_a_roll_of_the_whole_grid(window):
    torch.manual_seed(0)
    shift = tuple(n // 2 for n in window)
    axes = tuple(range(1, 1 + len(window)))
    stack = WrappedStack(8, 2, window, [0.0, 0.0]).eval()
    plain = WrappedStack(8, 2, window, [0.0]).eval()
    x = torch.rand(2, *(3 * n for n in window), 8)
    plain.blocks[0].load_state_dict(stack.blocks[0].state_dict())
    between = plain(x).roll([-s for s in shift], axes)
    plain.blocks[0].load_state_dict(stack.blocks[1].state_dict())
    torch.testing.assert_close(stack(x), plain(between).roll(shift, axes), rtol=0, atol=1e-5)


@torch.inference_mode()
def test_what_pads_a_grid_to_whole_windows_is_not_attended():
    torch.manual_seed(0)
    stack = WrappedStack(8, 2, (2, 4), [0.0]).eval()
    x = torch.rand(1, 3, 6, 8)
    alone = stack(x[:, :, 4:])  # the last window of each row: two columns and two of padding
    torch.testing.assert_close(stack(x)[:, :, 4:], alone, rtol=0, atol=1e-6)


def test_windows_hold_every_token_once():
    windows = wrapped_windows_of((3, 5, 4), (2, 2, 2), (1, 1, 1), CPU)
    tokens = torch.cat([t.flatten() for t in windows.tokens_WT])
    assert sorted(tokens.tolist()) == list(range(4 * 6 * 4))
    assert len(wrapped_windows_of((4, 6, 4), (2, 2, 2), (1, 1, 1), CPU).tokens_WT) == 1


def test_rows_of_the_bias_table_go_by_z_then_y_then_x():
    index = relative_index((2, 2, 2)).numpy()
    place = np.stack(np.meshgrid(*[range(2)] * 3, indexing="ij"), -1).reshape(8, 3)
    for query in range(8):
        dz, dy, dx = (place[query] - place).T + 1
        np.testing.assert_array_equal(index[query], dz * 9 + dy * 3 + dx)
