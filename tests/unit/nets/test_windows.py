"""Blocks run window by window are the blocks as written out, forward and backward."""

import copy
import sys

import pytest
import torch

from support.paths import BENCHMARKS
from thinslice.nets import windows
from thinslice.nets.kept import Room
from thinslice.nets.swin import SwinBlock, SwinStack, drop_path_rates

sys.path.insert(0, str(BENCHMARKS))
from plain_swin import make_plain


def stack(window=(4, 4), width=8, heads=2, depth=2, drop_path=0.0) -> SwinStack:
    torch.manual_seed(0)
    net = SwinStack(width, heads, window, depth, drop_path_rates(drop_path, depth))
    for p in net.parameters():
        torch.nn.init.normal_(p, mean=0.1, std=0.4)  # large enough that softmax is not flat
    return net


def grid(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1))


def with_gradients(net, x):
    x = x.clone().requires_grad_()
    y = net(x)
    (y * grid(*y.shape).sin()).sum().backward()
    return y.detach(), [x.grad, *(p.grad for p in net.parameters())]


@pytest.mark.parametrize(
    ("window", "shape"),
    [((4, 4), (1, 8, 8)), ((4, 4), (3, 12, 20)), ((2, 4), (2, 8, 16)), ((8, 8), (1, 8, 24))],
)
def test_same_output_and_gradients_as_the_plain_block(window, shape, monkeypatch):
    monkeypatch.setitem(windows.TOKENS_AT_A_TIME, "cpu", 64)  # several chunks, ragged ends
    fast, x = stack(window), grid(*shape, 8)
    y, gradients = with_gradients(fast, x)
    y_plain, plain = with_gradients(make_plain(copy.deepcopy(stack(window))), x)
    torch.testing.assert_close(y, y_plain, atol=1e-5, rtol=1e-5)
    for ours, theirs in zip(gradients, plain):
        torch.testing.assert_close(ours, theirs, atol=1e-5 * float(theirs.abs().max()), rtol=1e-4)


def test_double_precision_gradients_are_the_numerical_ones():
    net = stack((2, 2), width=4).double()
    x = grid(1, 4, 4, 4).double().requires_grad_()
    assert torch.autograd.gradcheck(net, (x,), atol=1e-6)


def padded_with_noise(x: torch.Tensor, sides: tuple[int, ...]) -> torch.Tensor:
    """As ``torch.nn.functional.pad``, with noise: a constant would be lost in the first norm."""
    outside = torch.nn.functional.pad(torch.zeros_like(x), sides, value=1.0)
    return torch.nn.functional.pad(x, sides) + outside * grid(*outside.shape)


@pytest.mark.parametrize("shape", [(7, 9), (3, 2), (8, 11), (5, 8)])
def test_padding_is_never_seen(shape, monkeypatch):
    net, x = stack(depth=3).eval(), grid(2, *shape, 8)
    with torch.no_grad():
        y = net(x)
        monkeypatch.setattr("thinslice.nets.swin.pad", padded_with_noise)
        other = net(x)
    assert y.shape == x.shape
    torch.testing.assert_close(y, other, atol=1e-5, rtol=1e-5)


def test_a_shifted_window_does_not_join_opposite_edges():
    """With the wrap unmasked the first row would move the last."""
    net, x = stack(depth=2).eval(), grid(1, 12, 12, 8)
    changed = x.clone()
    changed[:, 0] = grid(1, 12, 8).cos()
    with torch.no_grad():
        difference = (net(changed) - net(x)).abs().amax((0, 2, 3))
    assert difference[:6].min() > 1e-4  # an unshifted window, then half of a shifted one
    assert difference[6:].max() < 1e-6


def test_moving_by_a_window_moves_the_answer():
    net, x = stack(depth=4).eval(), grid(1, 48, 8, 8)
    with torch.no_grad():
        y, moved = net(x), net(x.roll(4, 1))
    inner = slice(20, 28)  # four blocks of window 4 reach 4 + 3 * 2 at most
    torch.testing.assert_close(y[:, inner], moved[:, 24:32], atol=1e-5, rtol=1e-5)


def test_a_batch_is_its_members_one_by_one():
    net, x = stack().eval(), grid(3, 8, 12, 8)
    with torch.no_grad():
        torch.testing.assert_close(net(x), torch.cat([net(one[None]) for one in x]))


def test_drop_path_leaves_whole_branches_out_backward_too():
    block, x = stack(depth=1).blocks[0], grid(64, 4, 4, 8).requires_grad_()
    assert isinstance(block, SwinBlock)
    block.drop_path = 0.5
    torch.manual_seed(3)
    y = block.train()(x, (4, 4))
    y.sin().sum().backward()
    left_alone = (y - x).abs().amax((1, 2, 3)) < 1e-6
    assert 6 < int(left_alone.sum()) < 28  # a quarter of 64 loses both branches
    assert x.grad is not None
    passed_on = (x.grad - x.detach().cos()).abs().amax((1, 2, 3)) < 1e-6
    assert torch.equal(passed_on, left_alone)


def test_training_keeps_two_states_of_a_block_and_little_else():
    """What autograd holds between forward and backward, counted in numbers."""
    held = []

    def count(t):
        held.append(t.numel())
        return t

    net, x = stack(depth=2), grid(1, 32, 32, 8).requires_grad_()
    with torch.autograd.graph.saved_tensors_hooks(count, lambda t: t):
        net(x)
    weights = sum(p.numel() for p in net.parameters())
    assert sum(held) <= 2 * 2 * x.numel() + 4 * weights  # two blocks


def gradients_within(nbytes: int | None, cast: bool = False):
    """Of two blocks that may keep so much; and the room."""
    net, room = stack(), None if nbytes is None else Room(nbytes)
    for block in net.blocks:
        assert isinstance(block, SwinBlock)
        block.room = room
    with torch.autocast("cpu", torch.bfloat16, enabled=cast):
        return with_gradients(net, grid(2, 10, 12, 8))[1], room


@pytest.mark.parametrize("cast", [False, True])
@pytest.mark.parametrize(("nbytes", "kept"), [(1 << 30, 2), (90_000, 1), (1000, 0)])
def test_what_is_kept_never_moves_a_gradient(nbytes, kept, cast, monkeypatch):
    monkeypatch.setitem(windows.TOKENS_AT_A_TIME, "cpu", 64)
    expected, _ = gradients_within(None, cast)
    gradients, room = gradients_within(nbytes, cast)
    shares = 2 * 16 if kept == 2 else 0  # of heads and tokens of a window: only if all fits
    assert room.most == kept * 2 * 12 * 12 * (7 * 8 + shares) * 4  # blocks, tokens, numbers, bytes
    assert room.taken == 0  # given back with the graph
    assert all(map(torch.equal, gradients, expected))


def test_restoring_keeps_nothing():
    net, room = stack(), Room(1 << 30)
    for block in net.blocks:
        block.room = room
    with torch.no_grad():
        net(grid(1, 8, 8, 8))
    assert room.most == 0


def test_heads_that_do_not_divide_the_channels_are_refused():
    with pytest.raises(ValueError, match="10 channels do not divide into 4 heads"):
        SwinBlock(10, 4, (4, 4), (0, 0))


def test_windows_first_met_while_restoring_serve_training_too():
    windows.windows_of.cache_clear()
    net, x = stack(), grid(1, 8, 8, 8)
    with torch.inference_mode():
        y = net(x)
    again, gradients = with_gradients(net, x)
    assert torch.equal(y, again)
    assert all(g.isfinite().all() and g.any() for g in gradients)
