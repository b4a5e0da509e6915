"""A Swin block run window by window, so that it never leaves the cache.

A Swin block mixes tokens only inside windows, and everything else it does is done token by token.
So a whole block (norm, attention, projection, MLP, both residuals) can be run over a few windows at
a time: the tokens of 16 windows are gathered, stay in the processor's cache through the block and
are put back (``nets.windows``).

For training, a block remembers its input and the sum between its two branches, and the backward
pass runs the chunks again. Where a room of memory allows (``nets.kept``) it also keeps what its two
widest layers gave, 7 C numbers a token, which are most of what would be computed again. Gradients
are written out: an autograd graph for every chunk costs a tenth of a step.

Source: Liu et al., "Swin transformer", ICCV 2021. What is computed is the same (to rounding);
only the order differs.

Shape suffixes: B batch, Y X grid, N = B*Y*X tokens in raster order, W windows, T tokens of one
window, C channels, E channels of a layer's answer, H heads, K kinds of window, P A B as in
``nets.window_attention``, R = 2 residual branches (attention, MLP).
"""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn.functional import gelu, layer_norm, linear

from thinslice.nets.kept import Room, Taken
from thinslice.nets.window_attention import FEW, Attention, by_products, fused
from thinslice.nets.windows import Chunk, Windows, chunks_of

EPSILON = 1e-5  # of a norm


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


def added(x_WTC: Tensor, branch_WTC: Tensor, keep: Tensor | None) -> Tensor:
    """A residual branch added in place, scaled by ``keep``; the sum."""
    x_WTC += branch_WTC if keep is None else branch_WTC * keep
    return x_WTC


class _Chunked(torch.autograd.Function):
    """A pre-norm transformer block over every chunk; backward computes each chunk anew.

    What is kept is the block's input and the sum between its branches. With these, neither branch's
    last linear layer has to be computed again. With ``taken``, room for them, what either branch's
    first linear layer gives is kept too, and of small windows the shares of attention.
    """

    @staticmethod
    def forward(ctx, x_NC, bias_KHTT, keep_RB, chunks, taken, *weights):
        learns = taken is not None and any(ctx.needs_input_grad)
        between_NC, out_NC = torch.empty_like(x_NC if learns else x_NC[:0]), torch.empty_like(x_NC)
        products: list[Tensor | None] = []
        ctx.chunks, ctx.taken = chunks, taken
        ctx.autocast = torch.is_autocast_enabled(x_NC.device.type)
        ctx.dtype = torch.get_autocast_dtype(x_NC.device.type)
        w, width = Weights(*(t.detach() for t in weights)), x_NC.shape[1:]
        detached_KHTT = bias_KHTT.detach()  # lets attention fuse
        shares = _shares(chunks, bias_KHTT) if taken and taken.shares else [None] * len(chunks)
        for c, out_PAB in zip(chunks, shares):
            keep = c.keep(keep_RB)
            x_WTC = c.take(x_NC)
            h = layer_norm(x_WTC, width, w.norm1, w.norm1_bias, EPSILON)
            qkv_WTE = linear(h, w.qkv, w.qkv_bias)
            bias_HTT = detached_KHTT[c.kind]
            if by_products(x_WTC):
                h = Attention(qkv_WTE, bias_HTT, out_PAB=out_PAB).answer()
            else:
                h = fused(qkv_WTE, bias_HTT)
            x_WTC = added(x_WTC, linear(h, w.proj, w.proj_bias), keep[0])
            if learns:
                c.put(between_NC, x_WTC)
            h = layer_norm(x_WTC, width, w.norm2, w.norm2_bias, EPSILON)
            wide_WTE = linear(h, w.fc1, w.fc1_bias)
            c.put(out_NC, added(x_WTC, linear(gelu(wide_WTE), w.fc2, w.fc2_bias), keep[1]))
            if taken and taken.first_layers:
                products += (qkv_WTE, wide_WTE, out_PAB)
        ctx.save_for_backward(x_NC, between_NC, bias_KHTT, keep_RB, *weights, *products)
        return out_NC

    @staticmethod
    @once_differentiable  # the sum between the branches has no graph: a second one would be wrong
    def backward(ctx, *grads):
        x_NC, between_NC, bias_KHTT, keep_RB, *rest = ctx.saved_tensors
        count = len(Weights._fields)
        w, known = Weights(*rest[:count]), rest[count:] or [None] * (3 * len(ctx.chunks))
        of, of_bias_KHTT = Weights(*map(torch.zeros_like, w)), torch.zeros_like(bias_KHTT)
        grad_NC, grad_x_NC = grads[0].contiguous(), torch.empty_like(x_NC)
        with torch.autocast(x_NC.device.type, ctx.dtype, ctx.autocast):
            for c, qkv_WTE, wide_WTE, shares_PAB in zip(
                ctx.chunks, known[::3], known[1::3], known[2::3]
            ):
                keep, grad_WTC = c.keep(keep_RB), c.take(grad_NC)
                grad_WTC += _of_mlp(grad_WTC, c.take(between_NC), keep[1], w, of, wide_WTE)
                bias = bias_KHTT[c.kind], of_bias_KHTT[c.kind]
                products = qkv_WTE, shares_PAB
                grad_WTC += _of_attention(grad_WTC, c.take(x_NC), keep[0], w, of, bias, products)
                c.put(grad_x_NC, grad_WTC)
        return (grad_x_NC, of_bias_KHTT, None, None, None, *of)


def _of_mlp(
    grad_WTC: Tensor,
    x_WTC: Tensor,
    keep: Tensor | None,
    w: Weights,
    of: Weights,
    wide_WTE: Tensor | None,
) -> Tensor:
    """The gradient of the MLP branch's input; those of its numbers are added to ``of``.

    wide_WTE   what its first layer gave, where it was kept
    """
    h, *moments = torch.native_layer_norm(x_WTC, x_WTC.shape[-1:], w.norm2, w.norm2_bias, EPSILON)
    if wide_WTE is None:
        wide_WTE = linear(h, w.fc1, w.fc1_bias)
    grad = grad_WTC if keep is None else grad_WTC * keep
    grad = _of_linear(grad, gelu(wide_WTE), w.fc2, of.fc2, of.fc2_bias)
    grad = torch.ops.aten.gelu_backward(grad.to(wide_WTE.dtype), wide_WTE)
    grad = _of_linear(grad, h, w.fc1, of.fc1, of.fc1_bias)
    return _of_norm(grad, x_WTC, moments, (w.norm2, w.norm2_bias), (of.norm2, of.norm2_bias))


def _of_attention(
    grad_WTC: Tensor,
    x_WTC: Tensor,
    keep: Tensor | None,
    w: Weights,
    of: Weights,
    bias: tuple[Tensor, Tensor],
    products: tuple[Tensor | None, Tensor | None],
) -> Tensor:
    """The same of the attention branch.

    bias       that of its scores, and its gradient
    products   what its first layer gave and the shares, where they were kept
    """
    qkv_WTE, shares_PAB = products
    h, *moments = torch.native_layer_norm(x_WTC, x_WTC.shape[-1:], w.norm1, w.norm1_bias, EPSILON)
    if qkv_WTE is None:
        qkv_WTE = linear(h, w.qkv, w.qkv_bias)
    attention = Attention(qkv_WTE, bias[0], shares_PAB)
    grad = grad_WTC if keep is None else grad_WTC * keep
    grad = _of_linear(grad, attention.answer(), w.proj, of.proj, of.proj_bias)
    grad = attention.backward(grad, bias[1])
    grad = _of_linear(grad, h, w.qkv, of.qkv, of.qkv_bias)
    return _of_norm(grad, x_WTC, moments, (w.norm1, w.norm1_bias), (of.norm1, of.norm1_bias))


def _of_linear(
    grad: Tensor, h: Tensor, weight: Tensor, of_weight: Tensor, of_bias: Tensor
) -> Tensor:
    """The gradient of a linear layer's input; those of its numbers are added to ``of_*``."""
    flat, h = grad.flatten(0, 1), h.flatten(0, 1)
    if flat.dtype == h.dtype == of_weight.dtype:
        of_weight.addmm_(flat.T, h)  # no pass over the numbers to add the product
    else:  # as autocast takes them
        of_weight += flat.T @ h
    of_bias += flat.sum(0)
    return (flat @ weight).view(*grad.shape[:2], -1)


def _of_norm(
    grad: Tensor,
    x_WTC: Tensor,
    moments: list[Tensor],
    weights: tuple[Tensor, Tensor],
    of: tuple[Tensor, Tensor],
) -> Tensor:
    """The gradient of a norm's input; those of its numbers are added to ``of``.

    In the type of its numbers: CUDA takes no mixture, and after a linear layer autocast leaves
    bfloat16.
    """
    grad, x_WTC = grad.to(weights[0].dtype), x_WTC.to(weights[0].dtype)
    of_x, of_weight, of_bias = torch.ops.aten.native_layer_norm_backward(
        grad, x_WTC, x_WTC.shape[-1:], *moments, *weights, [True] * 3
    )
    for total, part in zip(of, (of_weight, of_bias)):
        total += part
    return of_x


class _Taken(NamedTuple):
    """Room for what the first layers of both branches give, and for the shares of attention."""

    first_layers: Taken | None
    shares: Taken | None


def _shares(chunks: list[Chunk], bias_KHTT: Tensor) -> list[Tensor]:
    """Memory for the shares of every chunk, in one piece: many small ones would leave gaps."""
    _, heads, tokens, _ = bias_KHTT.shape
    pairs = [len(c.batch) * heads for c in chunks]
    return list(bias_KHTT.new_empty(sum(pairs), tokens, tokens).split(pairs))


def _taken(room: Room | None, x_NC: Tensor, weights: Weights, bias_KHTT: Tensor) -> _Taken:
    """As much as is left of a room; shares only of small windows, where a byte of them saves most,
    and after all else.
    """
    if room is None:
        return _Taken(None, None)
    wide = len(x_NC) * (len(weights.qkv) + len(weights.fc1))
    first_layers = room.take(wide * x_NC.element_size())
    if first_layers is None or x_NC.is_cuda or bias_KHTT.shape[-1] > FEW:
        return _Taken(first_layers, None)
    shares = len(x_NC) * bias_KHTT[0, :, 0].numel()
    return _Taken(first_layers, room.take_spare(shares * bias_KHTT.element_size()))


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
    x_NC = x_BYXC.reshape(-1, width).contiguous()
    taken = _taken(room, x_NC, weights, bias_KHTT) if torch.is_grad_enabled() else None
    out_NC = _Chunked.apply(x_NC, bias_KHTT, keep_RB, chunks, taken, *weights)
    return out_NC.view_as(x_BYXC)
