"""Attention in windows that never leaves the cache.

A Swin block mixes tokens only inside windows, and everything else it does is done token by token.
So a whole block (norm, attention, projection, MLP, both residuals) can be run over a few windows at
a time: the tokens of 16 windows are gathered, stay in the processor's cache through the block and
are put back. No rolled, partitioned or permuted copy of the whole grid is ever made; a shift is a
different gather. Windows that need the same attention mask run together, so that mask and relative
position bias are added up once per kind of window (at most four) and not once per window.

For training, a block remembers its input and the sum between its two branches, and the backward
pass runs the chunks again. Where a room of memory allows (``nets.kept``) it also keeps what its two
widest layers gave, 7 C numbers a token, which are most of what would be computed again.

Source: Liu et al., "Swin transformer", ICCV 2021. What is computed is the same (to rounding);
only the order differs. Tokens that pad a grid to whole windows are masked as another region.

Shape suffixes: B batch, Y X grid, N = B*Y*X tokens in raster order, W windows, T tokens of one
window, C channels, H heads, K kinds of window, R = 2 residual branches (attention, MLP).
"""

from collections.abc import Callable
from functools import lru_cache
from math import prod
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import gelu, layer_norm, linear, scaled_dot_product_attention

from thinslice.nets.kept import Room, linear_or_known

MASKED = -100.0  # added to the score of a pair of tokens from different regions
TOKENS_AT_A_TIME = {"cpu": 1024, "cuda": 1 << 17}  # a chunk: one L2 cache; enough for a GPU


class Windows(NamedTuple):
    """How a grid falls into windows: windows of one kind share one mask."""

    tokens_WT: tuple[Tensor, ...]  # noqa: N815  per kind: raster index of every token of its windows
    masks_KTT: Tensor  # noqa: N815  per kind: 0 inside a region, MASKED between regions


class Weights(NamedTuple):
    """The learned numbers of one block, as ``torch.nn.functional`` takes them."""

    norm1: Tensor
    norm1_bias: Tensor
    qkv: Tensor
    qkv_bias: Tensor
    proj: Tensor
    proj_bias: Tensor
    norm2: Tensor
    norm2_bias: Tensor
    fc1: Tensor
    fc1_bias: Tensor
    fc2: Tensor
    fc2_bias: Tensor


def whole(size: int, window: int) -> int:
    """The smallest multiple of ``window`` that holds ``size``."""
    return -(-size // window) * window


def axis_regions(size: int, real: int, window: int, shift: int) -> Tensor:
    """Region of every position of a rolled axis, [size]: padding, and what the roll wrapped."""
    rolled = torch.arange(size)
    region = (rolled >= size - window).long() + (rolled >= size - shift).long()
    if shift == 0:
        region.zero_()
    region[(rolled + shift) % size >= real] = 9
    return region


@lru_cache(maxsize=64)
def windows_of(
    real: tuple[int, ...], window: tuple[int, ...], shift: tuple[int, ...], device: torch.device
) -> Windows:
    """The windows of a grid of ``real`` tokens, e.g. (y, x), padded to whole ones at the far ends.

    An axis of one window is not shifted: there is nothing to connect.
    """

    def regions(axis: int, shift: int) -> Tensor:
        return axis_regions(whole(real[axis], window[axis]), real[axis], window[axis], shift)

    return _by_kind(*_cut(real, window, shift, regions), device)


@lru_cache(maxsize=64)
def wrapped_windows_of(
    real: tuple[int, ...], window: tuple[int, ...], shift: tuple[int, ...], device: torch.device
) -> Windows:
    """As ``windows_of``, but what a shift brings together attends.

    A shifted window that reaches over an end of an axis goes on at its other end. Only tokens that
    pad the grid are masked.
    """

    def padding(axis: int, shift: int) -> Tensor:
        size = whole(real[axis], window[axis])
        return ((torch.arange(size) + shift) % size >= real[axis]).long()

    tokens_WT, axes_WT = _cut(real, window, shift, padding)
    return _by_kind(tokens_WT, (axes_WT > 0).long(), device)


def _cut(
    real: tuple[int, ...],
    window: tuple[int, ...],
    shift: tuple[int, ...],
    regions: Callable[[int, int], Tensor],
) -> tuple[Tensor, Tensor]:
    """Raster index and region of the tokens of a rolled grid's windows, [W, T] each.

    regions   numbers, below 10, of the places of an axis that is shifted so far
    """
    sizes = [whole(n, w) for n, w in zip(real, window)]
    shifts = [s if n > w else 0 for n, w, s in zip(sizes, window, shift)]
    raster, region = (torch.zeros((), dtype=torch.long) for _ in range(2))
    for axis, (n, by) in enumerate(zip(sizes, shifts)):
        raster = raster[..., None] * n + (torch.arange(n) + by) % n
        region = 10 * region[..., None] + regions(axis, by)

    def cut(grid: Tensor) -> Tensor:
        cells = grid.view([part for n, w in zip(sizes, window) for part in (n // w, w)])
        axes = range(2 * len(sizes))
        return cells.permute(*axes[::2], *axes[1::2]).reshape(-1, prod(window))

    return cut(raster), cut(region)


def _by_kind(tokens_WT: Tensor, regions_WT: Tensor, device: torch.device) -> Windows:
    """Windows together that are alike in where they are cut into regions."""
    kinds_KT, kind_W = torch.unique(regions_WT, dim=0, return_inverse=True)
    apart_KTT = kinds_KT[:, :, None] != kinds_KT[:, None, :]
    return Windows(
        tuple(tokens_WT[kind_W == k].to(device) for k in range(len(kinds_KT))),
        torch.where(apart_KTT, MASKED, 0.0).to(device),
    )


def attend(qkv_WTE: Tensor, bias_HTT: Tensor, fused: bool) -> Tensor:
    """Attention inside each window, [W, T, C]; ``fused`` gives the bias no gradient."""
    windows, tokens, width = qkv_WTE.shape
    heads = len(bias_HTT)
    split = qkv_WTE.view(windows, tokens, 3, heads, width // 3 // heads).permute(2, 0, 3, 1, 4)
    q, k, v = split.unbind(0)
    if fused:
        out_WHTD = scaled_dot_product_attention(q, k, v, attn_mask=bias_HTT[None].to(q.dtype))
    else:
        score_WHTT = (q * q.shape[-1] ** -0.5) @ k.transpose(-2, -1)
        out_WHTD = (score_WHTT + bias_HTT).softmax(-1).to(v.dtype) @ v
    return out_WHTD.transpose(1, 2).reshape(windows, tokens, width // 3)


def qkv(x_WTC: Tensor, w: Weights, known: Tensor | None = None) -> Tensor:
    """Queries, keys and values of the attention branch, [W, T, 3C]; ``known`` are these."""
    h = layer_norm(x_WTC, x_WTC.shape[-1:], w.norm1, w.norm1_bias)
    return linear_or_known(h, w.qkv, w.qkv_bias, known)


def widened(x_WTC: Tensor, w: Weights, known: Tensor | None = None) -> Tensor:
    """The MLP branch up to its GELU, [W, T, 4C]; ``known`` is this."""
    h = layer_norm(x_WTC, x_WTC.shape[-1:], w.norm2, w.norm2_bias)
    return linear_or_known(h, w.fc1, w.fc1_bias, known)


class Chunk(NamedTuple):
    """A few windows of one kind."""

    kind: int
    tokens: Tensor  # rows of x_NC, window by window
    batch: Tensor  # which volume each window is of

    def take(self, x_NC: Tensor) -> Tensor:
        """The tokens of these windows, [W, T, C]."""
        return x_NC[self.tokens].view(len(self.batch), -1, x_NC.shape[1])

    def put(self, x_NC: Tensor, x_WTC: Tensor) -> None:
        """The tokens back in their rows."""
        x_NC[self.tokens] = x_WTC.reshape(-1, x_NC.shape[1]).to(x_NC.dtype)

    def keep(self, keep_RB: Tensor | None) -> Tensor | tuple[float, float]:
        """What either residual branch is multiplied by, [R, W, 1, 1]."""
        return (1.0, 1.0) if keep_RB is None else keep_RB[:, self.batch, None, None]


def chunks_of(windows: Windows, batch: int, grid: int) -> list[Chunk]:
    """All windows of ``batch`` grids of ``grid`` tokens, cut into chunks that fit the cache."""
    out = []
    for kind, tokens_WT in enumerate(windows.tokens_WT):
        count, per_window = tokens_WT.shape
        first = torch.arange(batch, device=tokens_WT.device) * grid
        rows = (first[:, None, None] + tokens_WT).reshape(-1, per_window)
        owner = torch.arange(batch, device=tokens_WT.device).repeat_interleave(count)
        at_a_time = max(1, TOKENS_AT_A_TIME.get(rows.device.type, 1 << 17) // per_window)
        for a in range(0, len(rows), at_a_time):
            part = slice(a, a + at_a_time)
            out.append(Chunk(kind, rows[part].reshape(-1), owner[part]))
    return out


class _Chunked(torch.autograd.Function):
    """A pre-norm transformer block over every chunk; backward computes each chunk anew.

    What is kept is the block's input and the sum between its branches. With these, neither branch's
    last linear layer has to be computed again. With ``taken``, room for them, what either branch's
    first linear layer gives is kept too.
    """

    @staticmethod
    def forward(ctx, x_NC, bias_KHTT, keep_RB, chunks, taken, *weights):
        learns = any(ctx.needs_input_grad)
        between_NC, out_NC = torch.empty_like(x_NC if learns else x_NC[:0]), torch.empty_like(x_NC)
        first_layers: list[Tensor] = []
        ctx.chunks, ctx.taken = chunks, taken
        ctx.autocast = torch.is_autocast_enabled(x_NC.device.type)
        ctx.dtype = torch.get_autocast_dtype(x_NC.device.type)
        w = Weights(*(t.detach() for t in weights))
        detached_KHTT = bias_KHTT.detach()  # lets attention fuse
        for c in chunks:
            keep = c.keep(keep_RB)
            x_WTC = c.take(x_NC)
            qkv_WTE = qkv(x_WTC, w)
            h = attend(qkv_WTE, detached_KHTT[c.kind], fused=True)
            x_WTC = x_WTC + linear(h, w.proj, w.proj_bias) * keep[0]
            if learns:
                c.put(between_NC, x_WTC)
            wide_WTE = widened(x_WTC, w)
            c.put(out_NC, x_WTC + linear(gelu(wide_WTE), w.fc2, w.fc2_bias) * keep[1])
            if taken is not None:
                first_layers += (qkv_WTE, wide_WTE)
        ctx.save_for_backward(x_NC, between_NC, bias_KHTT, keep_RB, *weights, *first_layers)
        return out_NC

    @staticmethod
    def backward(ctx, *grads):
        (grad_NC,) = grads
        x_NC, between_NC, bias_KHTT, keep_RB, *rest = ctx.saved_tensors
        count = len(Weights._fields)
        weights, known = rest[:count], rest[count:] or [None] * (2 * len(ctx.chunks))
        bias_KHTT, *leaves = (t.detach().requires_grad_() for t in (bias_KHTT, *weights))
        w = Weights(*leaves)
        of = Weights(*(torch.zeros_like(t) for t in weights))  # gradients of the last layers
        grad_x_NC = torch.empty_like(x_NC)
        for c, qkv_WTE, wide_WTE in zip(ctx.chunks, known[::2], known[1::2]):
            keep, grad_WTC = c.keep(keep_RB), c.take(grad_NC)
            x_WTC = c.take(x_NC).requires_grad_()
            between_WTC = c.take(between_NC).requires_grad_()
            with torch.enable_grad(), torch.autocast(x_NC.device.type, ctx.dtype, ctx.autocast):
                h = gelu(widened(between_WTC, w, wide_WTE))
                a = attend(qkv(x_WTC, w, qkv_WTE), bias_KHTT[c.kind], fused=False)
            h.backward(through(grad_WTC * keep[1], h, w.fc2, of.fc2, of.fc2_bias))
            grad_WTC = grad_WTC + between_WTC.grad
            a.backward(through(grad_WTC * keep[0], a, w.proj, of.proj, of.proj_bias))
            c.put(grad_x_NC, grad_WTC + x_WTC.grad)
        found = [last if t.grad is None else t.grad for t, last in zip(leaves, of)]
        return (grad_x_NC, bias_KHTT.grad, None, None, None, *found)


def through(grad: Tensor, h: Tensor, weight: Tensor, of_weight: Tensor, of_bias: Tensor) -> Tensor:
    """The gradient of a linear layer's input; those of its numbers are added to ``of_*``."""
    flat = grad.flatten(0, 1).to(h.dtype)
    of_weight += flat.T @ h.detach().flatten(0, 1)
    of_bias += grad.sum((0, 1))
    return (flat @ weight.detach().to(h.dtype)).view_as(h)


def windowed_block(
    x_BYXC: Tensor,
    bias_HTT: Tensor,
    windows: Windows,
    weights: Weights,
    keep_RB: Tensor | None,
    room: Room | None = None,
) -> Tensor:
    """One Swin block over grids of whole windows, [B, Y, X, C].

    ``bias_HTT`` is the relative position bias; ``keep_RB`` scales the two residual branches of
    every grid (drop path), None keeps them as they are; ``room`` is for what backward would
    otherwise compute again.
    """
    batch, y, x, width = x_BYXC.shape
    bias_KHTT = bias_HTT + windows.masks_KTT[:, None].to(bias_HTT.dtype)
    chunks = chunks_of(windows, batch, y * x)
    x_NC = x_BYXC.reshape(-1, width)
    taken = None
    if room is not None and torch.is_grad_enabled():
        numbers = len(x_NC) * (len(weights.qkv) + len(weights.fc1))
        taken = room.take(numbers * x_NC.element_size())
    out_NC = _Chunked.apply(x_NC, bias_KHTT, keep_RB, chunks, taken, *weights)
    return out_NC.view_as(x_BYXC)
