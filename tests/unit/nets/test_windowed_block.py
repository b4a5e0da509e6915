"""Written-out gradients of a Swin block on any grid, in mixed precision, and once only."""

import pytest
import torch
from torch.nn.functional import gelu, layer_norm, linear
from torch.utils._python_dispatch import TorchDispatchMode

from thinslice.nets import windows
from thinslice.nets.swin import SwinBlock, SwinStack
from thinslice.nets.windows import windows_of

NORM = torch.ops.aten.native_layer_norm_backward.default


class Plain(SwinBlock):
    """The same block of whole branches, with the gradients that autograd has for them."""

    def forward(self, x_BYXC, real):
        cut, w = windows_of(real, self.window, self.shift, x_BYXC.device), self.weights()
        width, bias_HTT, keep_RB = x_BYXC.shape[-1:], self.bias_HTT(), self.keep_RB(x_BYXC)
        keep = [1.0, 1.0] if keep_RB is None else keep_RB[..., None, None, None]
        parts, flat_BNC = [], x_BYXC.flatten(1, 2)
        for tokens_WT, mask_TT in zip(cut.tokens_WT, cut.masks_KTT):
            x = flat_BNC[:, tokens_WT]
            h = linear(layer_norm(x, width, w.norm1, w.norm1_bias), w.qkv, w.qkv_bias)
            q, k, v = h.unflatten(-1, (3, len(bias_HTT), -1)).permute(3, 0, 1, 4, 2, 5)
            scores = q @ k.mT * q.shape[-1] ** -0.5 + bias_HTT + mask_TT.to(bias_HTT)
            h = (scores.softmax(-1) @ v).transpose(2, 3).flatten(3)
            x = x + linear(h, w.proj, w.proj_bias) * keep[0]
            h = linear(layer_norm(x, width, w.norm2, w.norm2_bias), w.fc1, w.fc1_bias)
            x = x + linear(gelu(h), w.fc2, w.fc2_bias) * keep[1]
            parts.append(x.flatten(1, 2))
        order = torch.cat([tokens_WT.flatten() for tokens_WT in cut.tokens_WT]).argsort()
        return torch.cat(parts, 1)[:, order].view_as(x_BYXC)


def stack(window: tuple[int, int], drop_paths: list[float]) -> SwinStack:
    torch.manual_seed(0)
    net = SwinStack(6, 2, window, len(drop_paths), drop_paths)
    for p in net.parameters():
        torch.nn.init.normal_(p, mean=0.1, std=0.4)
    return net.double()


def gradients(net: SwinStack, shape: tuple[int, ...]) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(*shape, 6, generator=generator, dtype=torch.float64).requires_grad_()
    torch.manual_seed(2)  # of drop path
    y = net(x)
    (y * torch.randn(*y.shape, generator=generator, dtype=y.dtype)).sum().backward()
    found = [x.grad, *(p.grad for p in net.parameters())]
    return [each for each in found if each is not None]


FEW_AND_MORE_TOKENS = [
    ((4, 4), (2, 7, 9)),
    ((3, 5), (2, 7, 11)),
    ((2, 4), (1, 3, 2)),
    ((5, 7), (1, 6, 9)),
]


@pytest.mark.parametrize(("window", "shape"), FEW_AND_MORE_TOKENS)
def test_gradients_are_autograds_where_windows_are_padded_shifted_and_dropped(
    window, shape, monkeypatch
):
    monkeypatch.setitem(windows.TOKENS_AT_A_TIME, "cpu", 64)
    net, plain = (stack(window, [0.0, 0.5, 0.5]) for _ in range(2))
    for block in plain.blocks:
        block.__class__ = Plain
    ours, theirs = (gradients(each, shape) for each in (net, plain))
    assert len(ours) == len(theirs) == 1 + 13 * 3
    for one, other in zip(ours, theirs):
        torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-9 * float(other.abs().max()))


class _NormTypes(TorchDispatchMode):
    """Types of what the gradients of norms are computed from."""

    def __init__(self):
        super().__init__()
        self.found: list[set[torch.dtype]] = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        if func is NORM:
            self.found.append({each.dtype for each in args if isinstance(each, torch.Tensor)})
        return func(*args, **(kwargs or {}))


def test_gradients_of_norms_are_of_one_type_after_a_cast_layer():
    """What CUDA needs; under autocast an embedding hands bfloat16 on, as TVSRN's does."""
    embedding, net, counted = torch.nn.Linear(3, 6), stack((4, 4), [0.0, 0.0]).float(), _NormTypes()
    with torch.autocast("cpu", torch.bfloat16):
        features = embedding(torch.rand(1, 8, 8, 3))
        y = net(features)
    assert features.dtype == torch.bfloat16
    with counted:
        y.float().square().sum().backward()
    assert counted.found
    assert all(types == {torch.float32} for types in counted.found)


def test_gradients_of_gradients_are_refused():
    net, x = stack((4, 4), [0.0]), torch.rand(1, 4, 4, 6, dtype=torch.float64).requires_grad_()
    (once,) = torch.autograd.grad(net(x).square().sum(), x, create_graph=True)
    with pytest.raises(RuntimeError, match="differentiate twice"):
        once.sum().backward()
