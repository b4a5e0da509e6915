"""Attention inside small windows: one fused call, or batched products that remember their shares.

A fused call works through windows and heads one by one. On a CPU, in a window of few tokens and in
heads of a few channels, the call itself costs more than its arithmetic. There, products of all
windows and heads at once are faster: scores stand with a row for every key and a column for every
query, and the answer with a row for every channel, so that no product has rows of a few numbers.

A gradient needs the shares, which a fused call does not give. In windows of more tokens their
scores stand with a row for every query: the softmax runs along memory, in two thirds of the time.
Gradients of queries, keys and values have a row for every token in either, as they are stored.

Shape suffixes: W windows, T tokens of one window, C channels, E = 3 C, H heads, D channels of one
head, P = W*H pairs of a window and a head, Q queries, K keys (T each), A B = K Q in a window of few
tokens, else Q K.
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
        shares_PAB: Tensor | None = None,
        out_PAB: Tensor | None = None,
    ):
        """Compute the shares, into ``out_PAB`` where it is given, unless they are known."""
        self.shape, (heads, tokens, _) = qkv_WTE.shape, bias_HTT.shape
        self.few = tokens <= FEW
        split = split_heads(qkv_WTE, heads).contiguous()
        self.size = split.shape[1:]
        self.q, self.k, self.v = split.flatten(1, 2).unbind(0)  # [P, T, D]
        self.scale = self.q.shape[-1] ** -0.5
        self.q *= self.scale
        if shares_PAB is None:
            scores_PAB = self._of_pairs(self.q, self.k).to(bias_HTT.dtype)
            bias_HAB = bias_HTT.mT.contiguous() if self.few else bias_HTT
            scores_PAB.view(-1, heads, tokens, tokens).add_(bias_HAB)
            shares_PAB = torch.softmax(scores_PAB, self._keys, out=out_PAB)
        self.shares_PAB = shares_PAB

    @property
    def _keys(self) -> int:
        """The axis of keys in a matrix of pairs."""
        return 1 if self.few else 2

    def _of_pairs(self, queries_PTD: Tensor, keys_PTD: Tensor) -> Tensor:
        """Products of every query and key, [P, A, B]."""
        rows_PTD, columns_PTD = (keys_PTD, queries_PTD) if self.few else (queries_PTD, keys_PTD)
        return torch.bmm(rows_PTD, columns_PTD.mT)

    def _by_query(self, x_PAB: Tensor) -> Tensor:
        """[P, Q, K], a view."""
        return x_PAB.mT if self.few else x_PAB

    def _by_window(self, x_PTD: Tensor) -> Tensor:
        """[W, T, H, D], a view."""
        return x_PTD.view(self.size).transpose(1, 2)

    def answer(self) -> Tensor:
        """[W, T, C]"""
        shares_PAB = self.shares_PAB.to(self.v.dtype)
        if not self.few:
            return self._by_window(torch.bmm(shares_PAB, self.v)).flatten(2)
        windows, heads, tokens, width = self.size
        answer_PDT = torch.bmm(self.v.mT, shares_PAB)
        return answer_PDT.view(windows, heads, width, tokens).permute(0, 3, 1, 2).flatten(2)

    def backward(self, grad_WTC: Tensor, of_bias_HTT: Tensor) -> Tensor:
        """The gradient of queries, keys and values, [W, T, E]; the bias's is added up."""
        heads, kind = self.size[1], self.v.dtype
        grad_PTD = grad_WTC.unflatten(-1, (heads, -1)).transpose(1, 2).flatten(0, 1).to(kind)
        of_shares_PAB = self._of_pairs(grad_PTD, self.v).to(self.shares_PAB.dtype)
        of_scores_PAB = torch.ops.aten._softmax_backward_data(
            of_shares_PAB, self.shares_PAB, self._keys, self.shares_PAB.dtype
        )
        of_bias_HAB = of_scores_PAB.view(-1, *of_bias_HTT.shape).sum(0)
        of_bias_HTT += self._by_query(of_bias_HAB)
        of_scores_PQK = self._by_query(of_scores_PAB.to(kind))
        shares_PQK = self._by_query(self.shares_PAB.to(kind))
        out = self.v.new_empty(self.shape)
        parts_WTHD = out.unflatten(-1, (3, heads, -1)).unbind(2)
        parts_WTHD[0][:] = self._by_window(torch.bmm(of_scores_PQK, self.k).mul_(self.scale))
        parts_WTHD[1][:] = self._by_window(torch.bmm(of_scores_PQK.mT, self.q))
        parts_WTHD[2][:] = self._by_window(torch.bmm(shares_PQK.mT, grad_PTD))
        return out
