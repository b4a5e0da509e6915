"""Attention inside small windows: one fused call, or batched products that remember their shares.

A fused call works through windows and heads one by one. On a CPU, in a window of few tokens and in
heads of a few channels, the call itself costs more than its arithmetic. There, products of all
windows and heads at once are faster: scores stand with a row for every key and a column for every
query, and all that comes of them with a row for every channel, so that no product has rows of a
few numbers.

Shape suffixes: W windows, T tokens of one window, C channels, E = 3 C, H heads, D channels of one
head, P = W*H pairs of a window and a head, K keys, Q queries (T each).
"""

import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

FEW = 32  # tokens of a window up to which products beat the fused call on a CPU


def split_heads(qkv_WTE: Tensor, heads: int) -> Tensor:
    """Queries, keys and values of every head, [3, W, H, T, D], a view."""
    windows, tokens, width = qkv_WTE.shape
    return qkv_WTE.view(windows, tokens, 3, heads, width // 3 // heads).permute(2, 0, 3, 1, 4)


def by_products(x_WTC: Tensor) -> bool:
    """Whether batched products are the better way: on a CPU, in small windows."""
    return not x_WTC.is_cuda and x_WTC.shape[1] <= FEW


def fused(qkv_WTE: Tensor, bias_HTT: Tensor) -> Tensor:
    """Attention inside each window, [W, T, C]; the bias gets no gradient."""
    q, k, v = split_heads(qkv_WTE, len(bias_HTT)).unbind(0)
    answer = scaled_dot_product_attention(q, k, v, attn_mask=bias_HTT[None].to(q.dtype))
    return answer.transpose(1, 2).flatten(2)


class Attention:
    """Attention inside each window, with the shares that its gradients need."""

    def __init__(
        self,
        qkv_WTE: Tensor,
        bias_HTT: Tensor,
        shares_PKQ: Tensor | None = None,
        out_PKQ: Tensor | None = None,
    ):
        """Compute the shares, into ``out_PKQ`` where it is given, unless they are known."""
        self.shape, (heads, tokens, _) = qkv_WTE.shape, bias_HTT.shape
        split = split_heads(qkv_WTE, heads).contiguous()
        self.size = split.shape[1:]
        self.q, self.k, self.v = split.flatten(1, 2).unbind(0)  # [P, T, D]
        self.scale = self.q.shape[-1] ** -0.5
        self.q *= self.scale
        if shares_PKQ is None:
            scores_PKQ = torch.bmm(self.k, self.q.mT).to(bias_HTT.dtype)
            scores_PKQ.view(-1, heads, tokens, tokens).add_(bias_HTT.mT.contiguous())
            shares_PKQ = torch.softmax(scores_PKQ, 1, out=out_PKQ)
        self.shares_PKQ = shares_PKQ

    def _by_window(self, x_PDT: Tensor) -> Tensor:
        """[W, T, H, D], a view."""
        windows, heads, tokens, width = self.size
        return x_PDT.view(windows, heads, width, tokens).permute(0, 3, 1, 2)

    def answer(self) -> Tensor:
        """[W, T, C]"""
        shares_PKQ = self.shares_PKQ.to(self.v.dtype)
        return self._by_window(torch.bmm(self.v.mT, shares_PKQ)).flatten(2)

    def backward(self, grad_WTC: Tensor, of_bias_HTT: Tensor) -> Tensor:
        """The gradient of queries, keys and values, [W, T, E]; the bias's is added up."""
        heads, kind = self.size[1], self.v.dtype
        grad_PTD = grad_WTC.unflatten(-1, (heads, -1)).transpose(1, 2).flatten(0, 1).to(kind)
        of_shares = torch.bmm(self.v, grad_PTD.mT).to(self.shares_PKQ.dtype)
        of_scores = torch.ops.aten._softmax_backward_data(
            of_shares, self.shares_PKQ, 1, self.shares_PKQ.dtype
        )
        of_bias_HTT += of_scores.view(-1, *of_bias_HTT.shape).sum(0).mT
        of_scores = of_scores.to(kind)
        out = self.v.new_empty(self.shape)
        parts_WTHD = out.unflatten(-1, (3, heads, -1)).unbind(2)
        parts_WTHD[0][:] = self._by_window(torch.bmm(self.k.mT, of_scores).mul_(self.scale))
        parts_WTHD[1][:] = self._by_window(torch.bmm(self.q.mT, of_scores.mT))
        shares_PKQ = self.shares_PKQ.to(kind)
        parts_WTHD[2][:] = self._by_window(torch.bmm(grad_PTD.mT, shares_PKQ.mT))
        return out
