"""Attention from a plane's features to those of several reference planes, in bounded memory.

A token is a square of ``block`` x ``block`` features. A plane's tokens (queries) attend to all
tokens of each reference (keys, values); for every query, references are weighted by how well it was
matched there (relevance), or equally (average). There is no position code: the result of a query
depends neither on its place nor on the other queries, so a plane may be computed part by part.

Source: multi-reference non-local attention, Uhm et al. (ACVTT), section 3.2, in the form of the
released code: one head, scores scaled by the root of the token's length, layer normalisation of
queries and keys over the whole token. Differs: scores are made for as many queries at a time as
``BLOCK_BYTES`` allow; where gradients are needed, the backward pass computes each part again. A
query's values are summed over all references in one product, weighted before it and not after.

The features of a pixel lie together in a token, as in memory where channels come last:
layers of single pixels are products of whole rows of tokens.

Shape suffixes: B planes, C features, P Q a plane's axes, N tokens, M keys, D a token's length,
S keys of all references.
"""

from collections.abc import Sequence
from functools import partial
from typing import Literal, NamedTuple, get_args

import torch
from torch import Tensor, nn
from torch.nn.functional import layer_norm, linear
from torch.utils.checkpoint import checkpoint

Fusion = Literal["relevance", "average"]
BLOCK_BYTES = 32 * 2**20  # bound of a matrix of scores, and of one of results


class ReferenceTokens(NamedTuple):
    """Keys and values of one reference at one level."""

    keys: Tensor  # [M, D]
    values: Tensor  # [M, D]


class Offered(NamedTuple):
    """What all references of a level offer, as the products take it."""

    keys: Sequence[Tensor]  # [M, D] of every reference
    values: Tensor  # [D, S] of all


def offered(references: Sequence[ReferenceTokens]) -> Offered:
    """Keys and values of several references, put together."""
    values_DS = torch.cat([tokens.values.T for tokens in references], 1)
    return Offered([tokens.keys for tokens in references], values_DS)


class ReferenceAttention(nn.Module):
    """Attention of a plane's features to references of the same level, added to the features."""

    def __init__(self, width: int, block: int, fusion: Fusion = "relevance"):
        super().__init__()
        if fusion not in get_args(Fusion):
            raise ValueError(f"fusion {fusion!r} is none of {', '.join(get_args(Fusion))}")
        self.block, self.block_bytes = block, BLOCK_BYTES
        self.fusion: Fusion = fusion
        length = width * block**2
        self.query = nn.Conv2d(width, width, 1)
        self.key = nn.Conv2d(width, width, 1)
        self.value = nn.Conv2d(width, width, 1)
        self.norm_query = nn.LayerNorm(length)
        self.norm_key = nn.LayerNorm(length)
        self.out = nn.Conv2d(width, width, 1)

    def rest(self) -> None:
        """Initialise so that nothing is added before training."""
        nn.init.zeros_(self.out.weight)
        if self.out.bias is not None:
            nn.init.zeros_(self.out.bias)

    def encode(self, features_1CPQ: Tensor) -> ReferenceTokens:
        """Keys and values of one reference, the same for every plane."""
        keys_1MD = self._normed(self.norm_key, self._tokens(self.key, features_1CPQ))
        return ReferenceTokens(keys_1MD[0], self._tokens(self.value, features_1CPQ)[0])

    def forward(self, x_BCPQ: Tensor, references: Offered) -> Tensor:
        """[B, C, P, Q] to the same shape; sizes are multiples of ``block``."""
        out_ND = attend(self._queries(x_BCPQ), references, self.fusion, self.block_bytes)
        b, c, p, q = x_BCPQ.shape
        squares = b, p // self.block, q // self.block, self.block, self.block, c
        added = linear(out_ND.view(squares), self.out.weight.flatten(1), self.out.bias)
        return x_BCPQ + added.transpose(2, 3).reshape(b, p, q, c).permute(0, 3, 1, 2)

    def relevance(self, x_BCPQ: Tensor, references: Offered) -> Tensor:
        """Share of each reference in what ``forward`` adds, [B, R, P / block, Q / block]."""
        b, _, p, q = x_BCPQ.shape
        shares_NR = relevance(self._queries(x_BCPQ), references, self.fusion, self.block_bytes)
        return shares_NR.view(b, p // self.block, q // self.block, -1).permute(0, 3, 1, 2)

    def _queries(self, x_BCPQ: Tensor) -> Tensor:
        """Scaled queries [N, D] of all planes."""
        queries_BND = self._normed(self.norm_query, self._tokens(self.query, x_BCPQ))
        return queries_BND.flatten(0, 1) * queries_BND.shape[-1] ** -0.5

    def _tokens(self, layer: nn.Conv2d, x_BCPQ: Tensor) -> Tensor:
        """[B, N, D] of what a layer makes of every pixel."""
        made_BPQC = linear(x_BCPQ.permute(0, 2, 3, 1), layer.weight.flatten(1), layer.bias)
        return tokens(made_BPQC, self.block)

    def _normed(self, norm: nn.LayerNorm, tokens_BND: Tensor) -> Tensor:
        """Normed tokens; the layer's weights are stored in the order feature, row, column."""
        weight, bias = (w.view(-1, self.block**2).T.flatten() for w in (norm.weight, norm.bias))
        return layer_norm(tokens_BND, norm.normalized_shape, weight, bias, norm.eps)


def tokens(x_BPQC: Tensor, block: int) -> Tensor:
    """[B, N, D]: squares of ``block`` x ``block``, each in the order row, column, feature."""
    b, p, q, c = x_BPQC.shape
    squares = x_BPQC.reshape(b, p // block, block, q // block, block, c).transpose(2, 3)
    return squares.reshape(b, -1, block**2 * c)


def attend(
    queries_ND: Tensor,
    references: Offered,
    fusion: Fusion,
    block_bytes: int = BLOCK_BYTES,
) -> Tensor:
    """Attention of scaled queries to all references, [N, D].

    block_bytes   bound of any intermediate matrix, as long as one query's row fits
    """
    parts = _parts(queries_ND, references, block_bytes)
    recompute = torch.is_grad_enabled() and len(parts) > 1
    attention = partial(checkpoint, _attend, use_reentrant=False) if recompute else _attend
    answers = [attention(part, references, fusion) for part in parts]
    return answers[0] if len(answers) == 1 else torch.cat(answers)


def relevance(
    queries_ND: Tensor,
    references: Offered,
    fusion: Fusion,
    block_bytes: int = BLOCK_BYTES,
) -> Tensor:
    """Shares [N, R] by which ``attend`` weights the references of each query; they sum to one."""
    if fusion == "average":
        n = len(references.keys)
        return queries_ND.new_full((len(queries_ND), n), 1 / n)
    parts = _parts(queries_ND, references, block_bytes)
    return torch.cat([_relevance(part, references) for part in parts])


def _relevance(queries_ND: Tensor, references: Offered) -> Tensor:
    matches = []
    for keys_MD in references.keys:
        scores_NM = queries_ND @ keys_MD.T
        matches.append((scores_NM.softmax(1) * scores_NM).sum(1))
    return torch.stack(matches, 1).softmax(1)


def _parts(queries_ND: Tensor, references: Offered, block_bytes: int) -> Sequence[Tensor]:
    """The queries in parts whose matrices have no more than ``block_bytes``."""
    longest = max(references.values.shape)
    return queries_ND.split(max(1, block_bytes // (longest * queries_ND.element_size())))


def _attend(queries_ND: Tensor, references: Offered, fusion: Fusion) -> Tensor:
    shares, matches = [], []
    for keys_MD in references.keys:
        scores_NM = queries_ND @ keys_MD.T
        shares.append(scores_NM.softmax(1))
        if fusion == "relevance":
            matches.append((shares[-1] * scores_NM).sum(1))
    if fusion == "relevance":
        relevance_NR = torch.stack(matches, 1).softmax(1)
        shares = [share * relevance_NR[:, r, None] for r, share in enumerate(shares)]
    else:
        shares = [share / len(shares) for share in shares]
    return linear(torch.cat(shares, 1), references.values)
