"""Attention from a plane's features to those of several reference planes, in bounded memory.

A token is a square of ``block`` x ``block`` features. A plane's tokens (queries) attend to all
tokens of each reference (keys, values) in turn; for every query, references are weighted by how
well it was matched there (relevance), or equally (average). There is no position code: the result
of a query depends neither on its place nor on the other queries, so a plane may be computed part by
part.

Source: multi-reference non-local attention, Uhm et al. (ACVTT), section 3.2, in the form of the
released code: one head, scores scaled by the root of the token's length, layer normalisation of
queries and keys over the whole token. Differs: scores are made for as many queries at a time as
``BLOCK_BYTES`` allow; where gradients are needed, the backward pass computes each part again.

Shape suffixes: B planes, C features, P Q a plane's axes, N tokens, M keys, D a token's length.
"""

from collections.abc import Sequence
from functools import partial
from typing import Literal, NamedTuple, get_args

import torch
from torch import Tensor, nn
from torch.nn.functional import pixel_shuffle, pixel_unshuffle
from torch.utils.checkpoint import checkpoint

Fusion = Literal["relevance", "average"]
BLOCK_BYTES = 16 * 2**20  # bound of a matrix of scores, and of one of results


class ReferenceTokens(NamedTuple):
    """Keys and values of one reference at one level."""

    keys: Tensor  # [M, D]
    values: Tensor  # [M, D]


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
        keys = self.norm_key(tokens(self.key(features_1CPQ), self.block))
        return ReferenceTokens(keys[0], tokens(self.value(features_1CPQ), self.block)[0])

    def forward(self, x_BCPQ: Tensor, references: Sequence[ReferenceTokens]) -> Tensor:
        """[B, C, P, Q] to the same shape; sizes are multiples of ``block``."""
        out_ND = attend(self._queries(x_BCPQ), references, self.fusion, self.block_bytes)
        b, _, p, q = x_BCPQ.shape
        out_BDPQ = out_ND.view(b, p // self.block, q // self.block, -1).permute(0, 3, 1, 2)
        return x_BCPQ + self.out(pixel_shuffle(out_BDPQ, self.block))

    def relevance(self, x_BCPQ: Tensor, references: Sequence[ReferenceTokens]) -> Tensor:
        """Share of each reference in what ``forward`` adds, [B, R, P / block, Q / block]."""
        b, _, p, q = x_BCPQ.shape
        shares_NR = relevance(self._queries(x_BCPQ), references, self.fusion, self.block_bytes)
        return shares_NR.view(b, p // self.block, q // self.block, -1).permute(0, 3, 1, 2)

    def _queries(self, x_BCPQ: Tensor) -> Tensor:
        """Scaled queries [N, D] of all planes."""
        queries_BND = self.norm_query(tokens(self.query(x_BCPQ), self.block))
        return queries_BND.flatten(0, 1) * queries_BND.shape[-1] ** -0.5


def tokens(x_BCPQ: Tensor, block: int) -> Tensor:
    """[B, N, D]: squares of ``block`` x ``block``, each in the order feature, row, column."""
    return pixel_unshuffle(x_BCPQ, block).flatten(2).transpose(1, 2)


def attend(
    queries_ND: Tensor,
    references: Sequence[ReferenceTokens],
    fusion: Fusion,
    block_bytes: int = BLOCK_BYTES,
) -> Tensor:
    """Attention of scaled queries to all references, [N, D].

    block_bytes   bound of any intermediate matrix, as long as one query's row fits
    """
    parts = _parts(queries_ND, references, block_bytes)
    recompute = torch.is_grad_enabled() and len(parts) > 1
    attention = partial(checkpoint, _attend, use_reentrant=False) if recompute else _attend
    return torch.cat([attention(part, references, fusion) for part in parts])


def relevance(
    queries_ND: Tensor,
    references: Sequence[ReferenceTokens],
    fusion: Fusion,
    block_bytes: int = BLOCK_BYTES,
) -> Tensor:
    """Shares [N, R] by which ``attend`` weights the references of each query; they sum to one."""
    if fusion == "average":
        return queries_ND.new_full((len(queries_ND), len(references)), 1 / len(references))
    parts = _parts(queries_ND, references, block_bytes)
    return torch.cat([_relevance(part, references) for part in parts])


def _relevance(queries_ND: Tensor, references: Sequence[ReferenceTokens]) -> Tensor:
    matches = []
    for keys_MD, _ in references:
        scores_NM = queries_ND @ keys_MD.T
        matches.append(torch.einsum("nm,nm->n", scores_NM.softmax(1), scores_NM))
    return torch.stack(matches, 1).softmax(1)


def _parts(
    queries_ND: Tensor, references: Sequence[ReferenceTokens], block_bytes: int
) -> Sequence[Tensor]:
    """The queries in parts whose matrices have no more than ``block_bytes``."""
    longest = max(queries_ND.shape[1], *(len(s.keys) for s in references))
    return queries_ND.split(max(1, block_bytes // (longest * queries_ND.element_size())))


def _attend(queries_ND: Tensor, references: Sequence[ReferenceTokens], fusion: Fusion) -> Tensor:
    results, matches = [], []
    for keys_MD, values_MD in references:
        scores_NM = queries_ND @ keys_MD.T
        shares_NM = scores_NM.softmax(1)
        results.append(shares_NM @ values_MD)
        if fusion == "relevance":
            matches.append(torch.einsum("nm,nm->n", shares_NM, scores_NM))
    if fusion == "average":
        return sum(results[1:], start=results[0]) / len(results)
    relevance_NR = torch.stack(matches, 1).softmax(1)
    weighted = [result * relevance_NR[:, r, None] for r, result in enumerate(results)]
    return sum(weighted[1:], start=weighted[0])
